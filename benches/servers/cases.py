"""The cases in which servers are compared, each with its target."""

from case import BASE, OURS, Case
from load import Request
from ours import BENCHES, HELLO, KILOBYTE, MEGABYTE

INLINE = f"{OURS}, wsgi_threads 0"
BARE = ("bjoern", "fastwsgi")
# Nobody who has the bytes in memory can do as sendfile does; this is what nginx does without it.
READ = f"{BASE}, sendfile off"

BROWSER = dict(
    line.split(": ", 1) for line in (BENCHES / "headers.txt").read_text().splitlines()
)


def ratio(result, ours=OURS, base=BASE):
    return result.cpu(ours) / result.cpu(base)


def above_return_200(more, share, ours, rivals):
    """CPU over `return 200`, throughput relative to it, and total CPU relative to each rival's."""

    def judge(result):
        cost = result.cpu(ours) - result.cpu(BASE)
        share_of_base = result.rate(ours) / result.rate(BASE)
        behind = rivals(result, result.cpu(ours))
        text = f"{cost:+.1f} µs; {share_of_base:.2f}"
        text += f"; behind {', '.join(behind)}" if behind else ""
        return text, cost <= more and share_of_base >= share and not behind

    return judge


def ahead_of_all_but_bare(result, cpu):
    """The others who need no more than we do."""
    others = [name for name, row in result.rows.items() if name not in (BASE, OURS) and row.samples]
    return [name for name in others if name not in BARE and result.cpu(name) < cpu]


def near_bare(result, cpu):
    return [name for name in BARE if result.has(name) and cpu > 1.1 * result.cpu(name)]


def from_environ(ours, rival, factor):
    """Below a rival that was measured in the same rounds, or else below a multiple of nginx's own."""

    def judge(result):
        limit, what = factor * result.cpu(BASE), f"{factor} × {BASE}"
        if result.has(rival):
            limit, what = result.cpu(rival), rival
        return (
            f"{result.cpu(ours):.1f} µs, {ratio(result, ours):.2f} × {BASE}; {what} {limit:.1f} µs",
            result.cpu(ours) < limit,
        )

    return judge


def times_base(limit):
    """CPU relative to nginx's own way. The text also has a file that nginx reads and writes."""

    def judge(result):
        text = f"{ratio(result):.2f}"
        if result.has(READ):
            text += f"; {ratio(result, base=READ):.2f} × {READ}"
        return text, ratio(result) <= limit

    return judge


def more_threads(result):
    factor = result.cpu(f"{OURS}, 32 threads") / result.cpu(f"{OURS}, 4 threads")
    return f"{factor:.2f}", factor <= 1.1


def sleeping(result):
    rate, cpu = result.rate(OURS), result.cpu(OURS)
    return f"{rate / 3200:.3f} of 3,200/s; {cpu:.0f} µs", rate >= 0.95 * 3200 and cpu <= 80


def as_fast_as_the_file(result):
    share = result.rate(OURS) / result.rate(BASE)
    return f"{share:.2f}", share >= 0.95


def below_every_peer(result):
    cpu = result.cpu(OURS)
    names = [name for name, row in result.rows.items() if name != OURS and row.samples]
    ahead = [f"{name} {result.cpu(name):.0f}" for name in names if result.cpu(name) <= cpu]
    return f"{cpu:.0f} µs" + (f"; below it {', '.join(ahead)}" if ahead else ""), not ahead


def small_requests():
    hello, browser = Request(expect=HELLO), Request(expect=1024, headers=BROWSER)
    return_200 = Request("/return", HELLO)
    return_1k = Request("/return1k", KILOBYTE, BROWSER)
    yield Case(
        "hello",
        "hello_world",
        hello,
        "≤ +8 µs; throughput ≥ 0.62; ahead of every peer but the bare C loops",
        above_return_200(8, 0.62, OURS, ahead_of_all_but_bare),
        base=return_200,
        peers="all",
    )
    yield Case(
        "hello-inline",
        "hello_world",
        hello,
        "≤ +4.5 µs; throughput ≥ 0.75; ≤ 1.1 × bjoern and fastwsgi",
        above_return_200(4.5, 0.75, INLINE, near_bare),
        base=return_200,
        ours=[(INLINE, 0, "")],
        peers=BARE,
    )
    yield Case(
        "headers",
        "from_environ",
        browser,
        "below fastwsgi, or 2.3 × nginx itself",
        from_environ(OURS, "fastwsgi", 2.3),
        base=return_1k,
        peers="all",
    )
    yield Case(
        "headers-inline",
        "from_environ",
        browser,
        "below bjoern, or 2.0 × nginx itself",
        from_environ(INLINE, "bjoern", 2.0),
        base=return_1k,
        ours=[(INLINE, 0, "")],
        peers=BARE,
    )
    yield Case(
        "threads",
        "hello_world",
        hello,
        "32 threads ≤ 1.1 times the CPU of 4",
        more_threads,
        ours=[(f"{OURS}, {count} threads", count, "") for count in (4, 32)],
    )
    yield Case(
        "sleep",
        "sleep_10ms",
        hello,
        "10 ms of sleep, 32 threads: ≥ 0.95 of 3,200/s; ≤ 80 µs",
        sleeping,
        ours=[(OURS, 32, "")],
        peers="threaded",
    )


def large_bodies():
    one_file = {BASE: Request("/files/1m", MEGABYTE), READ: Request("/files-read/1m", MEGABYTE)}
    yield Case(
        "one-block",
        "one_block",
        Request(expect=MEGABYTE),
        "1 MiB as one bytes: CPU ≤ 0.65 × nginx sending that file by sendfile",
        times_base(0.65),
        base=one_file,
        peers="all",
    )
    yield Case(
        "blocks",
        "blocks",
        Request(expect=MEGABYTE),
        "64 × 16 KB: CPU ≤ 1.0 × nginx sending that file by sendfile",
        times_base(1.0),
        base=one_file,
        peers="all",
    )
    yield Case(
        "upload",
        "upload",
        Request(expect=b"1048576 bytes\n", upload=MEGABYTE),
        "1 MiB read at once: CPU ≤ 1.25 × nginx discarding it",
        times_base(1.25),
        base=Request("/return", HELLO, upload=MEGABYTE),
        ours=[
            (OURS, 8, ""),
            (f"{OURS}, client_body_buffer_size 1m", 8, "client_body_buffer_size 1m;"),
            (f"{OURS}, wsgi_request_buffering off", 8, "wsgi_request_buffering off;"),
        ],
        peers="all",
    )
    yield Case(
        "file",
        "wrapped_file",
        Request(expect=10 * MEGABYTE),
        "wsgi.file_wrapper of 10 MiB: ≥ 0.95 of nginx serving the file",
        as_fast_as_the_file,
        base=Request("/files/10m", 10 * MEGABYTE),
    )


def frameworks():
    for name in ("flask", "django"):
        yield Case(
            name,
            f"json_{name}",
            Request(expect=b'{"message":"Hello world!","numbers":[1,2,3]}\n')
            if name == "flask"
            else Request(expect=b'{"message": "Hello world!", "numbers": [1, 2, 3]}'),
            f"{name.capitalize()}, JSON: total CPU below every peer's",
            below_every_peer,
            peers="all",
        )
