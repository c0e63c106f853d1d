"""make mutants: breaks the sources on purpose, in one place at a time, and asks whether a test notices.

N lines of src and ngx_module are drawn by SEED, and for each of them one of the changes that it allows.
What does not compile, or makes no other code, is thrown away, and the next line is taken. A change
that no test notices has survived: there is a rule that no test states, or the change makes no
difference. equivalent.txt has those of the second kind, which do not count.

A hang counts as noticed. Nothing of the project is touched: all of it happens in build/mutants/tree.
"""

import argparse
import collections
import json
import os
import random
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "benches")]

import levels  # noqa: E402
import of_c  # noqa: E402
import of_rust  # noqa: E402
import tree  # noqa: E402
from endings import end_by_exception  # noqa: E402
from mutant import Equivalents  # noqa: E402

KILLED, SURVIVED, EQUIVALENT = "killed", "survived", "equivalent"


def main():
    end_by_exception()
    options = arguments()
    version = tree.copy()
    environment = tree.environment()
    failing = without_a_mutant(version, environment)
    equivalents = Equivalents((HERE / "equivalent.txt").read_text())
    results = []
    code = tree.code_of_module()
    for mutant in drawn(options):
        if len(results) == options.number:
            break
        begin = time.monotonic()
        result = judge(mutant, environment, equivalents, failing, code)
        if result is None:
            continue
        results.append((mutant, *result))
        took = f"{time.monotonic() - begin:.0f} s"
        print(f"{len(results):3} {mutant}: {result[0]} by {result[1]} ({took})", flush=True)
    write(options, results)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=40)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--files", nargs="*", default=[], help="only files that begin so")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(10**8)
    return options


def drawn(options):
    """One mutant of each line, in an order that the seed decides."""
    lines = collections.defaultdict(list)
    for mutant in [*of_rust.mutants(tree.TREE), *of_c.mutants(tree.TREE)]:
        if not options.files or mutant.file.startswith(tuple(options.files)):
            lines[mutant.file, mutant.line].append(mutant)
    chance = random.Random(options.seed)
    order = sorted(lines)
    chance.shuffle(order)
    print(f"seed {options.seed}: {options.number} of {len(order)} lines", flush=True)
    for line in order:
        yield chance.choice(lines[line])


def without_a_mutant(version, environment):
    """Builds all, and gives the tests of each level that fail as it is: they can notice nothing."""
    for level, file in ((levels.UNIT, "src/"), (levels.MODEL, "src/"), (levels.NGINX, "src/")):
        for command, limit in levels.builds_for(level, file):
            need(command, limit, environment)
    tree.allow_warnings()
    record = tree.TREE.parent / f"without-{version}.json"
    if not record.exists():
        failing = {}
        for level in levels.ALL:
            if level.is_pytest:
                failing[level.name] = levels.failing(level, environment)
            else:
                need(level.command, level.limit, environment)
                failing[level.name] = []
        record.write_text(json.dumps(failing, indent=1))
    failing = json.loads(record.read_text())
    for test in {test for tests in failing.values() for test in tests}:
        print(f"fails without a mutant, so it does not count: {test}", flush=True)
    return failing


def need(command, limit, environment):
    code, output = levels.run(command, limit, environment)
    if code != 0:
        sys.exit(f"make mutants: {' '.join(map(str, command))} failed:\n{output}")


def judge(mutant, environment, equivalents, failing, code):
    """The verdict, and what decided it; None if it does not compile, or to the same code as before.

    The latter happens to lines that are for other versions of nginx.
    """
    path = tree.TREE / mutant.file
    text = path.read_text()
    reason = equivalents.reason(mutant, text)
    if reason:
        return EQUIVALENT, reason
    path.write_text(mutant.apply(text))
    try:
        for level in levels.levels_for(mutant.file):
            for command, limit in levels.builds_for(level, mutant.file):
                if levels.run(command, limit, environment)[0] != 0:
                    return None
            if mutant.file in code and tree.code_of_module()[mutant.file] == code[mutant.file]:
                return None
            by = levels.noticed(level, environment, failing[level.name])
            if by:
                return KILLED, f"{level.name}, {by}"
        return SURVIVED, "no level"
    finally:
        path.write_text(text)


def write(options, results):
    """The table, the survivors and the score: printed, and kept as a file."""
    lines = [f"# {len(results)} mutants, seed {options.seed}", ""]
    lines += ["| line | change | result | by |", "|---|---|---|---|"]
    for mutant, result, by in results:
        cells = [f"{mutant.file}:{mutant.line}", mutant.what.replace("|", "\\|"), result, by]
        lines.append(f"| {' | '.join(cells)} |")
    for mutant, result, _ in results:
        if result == SURVIVED:
            text = (tree.TREE / mutant.file).read_text()
            lines += ["", f"{mutant}", "```diff", mutant.diff(text), "```"]
    count = collections.Counter(result for _, result, _ in results)
    judged = count[KILLED] + count[SURVIVED]
    percent = 100 * count[KILLED] / judged if judged else 100.0
    lines += ["", f"{count[KILLED]} of {judged} killed, {percent:.0f} %; "]
    lines[-1] += f"{count[EQUIVALENT]} make no difference"
    record = tree.TREE.parent / f"{options.seed}.md"
    record.write_text("\n".join(lines) + "\n")
    print("\n".join(lines), f"\n(in {os.path.relpath(record)})", sep="\n")


main()
