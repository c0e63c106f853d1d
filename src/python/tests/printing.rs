//! What the application prints, raises, and may not do to signals.

use super::{LOG, logged, python, run, stderr};
use crate::python::output::{self, Stream};
use crate::python::traceback;
use pyo3::exceptions::PyValueError;

#[test]
fn a_traceback_is_what_python_prints() {
    python(|py| {
        let code = "def f():\n  try: 1/0\n  except ZeroDivisionError as e:\n\
                    \x20   raise ValueError('a\\nb\\udc80') from e\nf()";
        let err = run(py, code).unwrap_err();
        let lines = traceback::lines(py, &err);
        assert_eq!(lines[0], "Traceback (most recent call last):");
        assert!(lines.iter().any(|line| line.contains("direct cause")), "{lines:?}");
        assert_eq!(&lines[lines.len() - 2..], ["ValueError: a", "b\\udc80"]);
        let lines = traceback::lines(py, &run(py, "a = (").unwrap_err());
        assert!(lines.iter().any(|line| line.trim() == "^"), "{lines:?}");
    });
}

#[test]
fn a_traceback_is_bounded_and_survives_a_broken_exception() {
    python(|py| {
        let lines = traceback::lines(py, &PyValueError::new_err("x\n".repeat(5000)));
        assert_eq!(lines.len(), 1000);
        assert!(lines[300].starts_with("[4002 lines are left out"), "{}", lines[300]);
        let code = "class E(Exception):\n  def __str__(self): raise SystemExit\nraise E";
        let lines = traceback::lines(py, &run(py, code).unwrap_err());
        assert!(lines.last().unwrap().contains('E'), "{lines:?}");
    });
}

#[test]
fn what_is_printed_goes_line_by_line() {
    python(|py| {
        let code = "import sys, warnings, logging\n\
                    print('one', 2)\nprint('a', end=''); print('b', flush=True)\n\
                    sys.stderr.write('x\\ny'); sys.stderr.flush()\n\
                    sys.stdout.buffer.write(b'raw \\xff\\n')\n\
                    print('lone \\udc80'); sys.stdout.writelines(['p', 'q\\n'])\n\
                    warnings.warn('careful'); logging.getLogger('z').error('last resort')\n";
        run(py, code).unwrap();
        let lines = logged();
        let of = |stream| -> Vec<&str> {
            lines.iter().filter(|(s, _)| *s == stream).map(|(_, line)| line.as_str()).collect()
        };
        assert_eq!(of(Stream::Stdout), ["one 2", "ab", "raw \\xff", "lone \\udc80", "pq"]);
        let errors = of(Stream::Stderr);
        assert_eq!((errors[0], errors[2]), ("x", "last resort"));
        assert!(errors[1].ends_with("careful"), "{errors:?}");
        output::flush_thread(py);
        assert!(logged().is_empty(), "yet \"y\" was finished by the warning");
        run(py, "print('begun', end='')").unwrap();
        assert!(logged().is_empty());
        output::flush_thread(py);
        assert_eq!(logged(), [(Stream::Stdout, String::from("begun"))]);
    });
}

#[test]
fn the_streams_behave_like_text_streams() {
    python(|py| {
        let code = "import sys, io, os\n\
                    for s in sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__:\n\
                    \x20 assert not s.isatty() and s.writable() and not s.readable()\n\
                    \x20 assert not s.seekable() and not s.closed and s.mode == 'w'\n\
                    \x20 assert s.encoding == 'utf-8' and s.errors == 'backslashreplace'\n\
                    \x20 assert s.close() is None and s.write('') == 0 and not s.closed\n\
                    \x20 s.reconfigure(line_buffering=True)\n\
                    \x20 assert s.fileno() == 2\n\
                    \x20 try: s.write(b'')\n\
                    \x20 except TypeError: pass\n\
                    \x20 else: assert False\n\
                    assert sys.stdout.name == '<stdout>' and sys.stderr.name == '<stderr>'\n\
                    assert sys.stdout.write('\\u20ac\\n') == 2\n\
                    import contextlib\n\
                    with contextlib.redirect_stdout(io.StringIO()) as out: print('in')\n\
                    assert out.getvalue() == 'in\\n'\n";
        run(py, code).unwrap();
        assert_eq!(stderr(), ["€"]);
    });
}

#[test]
fn lines_of_two_threads_do_not_mix() {
    python(|py| {
        let code = "import sys, threading\n\
                    def f():\n  sys.stdout.write('thread '); sys.stdout.write('end')\n\
                    sys.stdout.write('main ')\n\
                    t = threading.Thread(target=f); t.start(); t.join()\n\
                    print('end')\n";
        run(py, code).unwrap();
        assert_eq!(stderr(), ["main end"]);
    });
    // The thread's own line was handed over when it ended, which may be after its join.
    let ended = || LOG.lock().iter().any(|(.., line)| line == "thread end");
    while !ended() {
        std::thread::yield_now();
    }
}

/// On its main thread, while an application is imported, it is the library that refuses: see
/// tests/nginx/test_guards.py.
#[test]
fn python_refuses_signals_on_threads_other_than_its_main_one() {
    python(|py| {
        let code = "import signal\n\
                    assert signal.signal.__name__ == 'signal' and signal.alarm.__wrapped__\n\
                    for call in (lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),\n\
                    \x20 lambda: signal.set_wakeup_fd(1, warn_on_full_buffer=False)):\n\
                    \x20 try: call()\n\
                    \x20 except ValueError as error: assert 'main thread' in str(error)\n\
                    \x20 else: assert False\n\
                    signal.siginterrupt(2, False)\n";
        run(py, code).unwrap();
        assert_eq!(stderr(), [""; 0]);
    });
}

#[test]
fn an_ignored_call_is_logged_once_for_each_place() {
    python(|py| {
        let code = "import signal\n\
                    for _ in range(3): assert signal.setitimer(signal.ITIMER_PROF, 9) == (0, 0)\n\
                    signal.setitimer(signal.ITIMER_PROF, 0)\n";
        run(py, code).unwrap();
        assert_eq!(
            stderr(),
            ["WSGI0301 signal.setitimer(ITIMER_PROF, ...) was ignored: signals belong to the web \
              server (<string>:2, in <module>)"]
        );
    });
}

#[test]
fn asyncio_subprocess_and_multiprocessing_work() {
    python(|py| {
        let code = "import asyncio, subprocess, sys, multiprocessing\n\
                    async def main():\n\
                    \x20 await asyncio.sleep(0)\n\
                    \x20 p = await asyncio.create_subprocess_exec(sys.executable, '-c',\n\
                    \x20   'exit(4)')\n\
                    \x20 return await p.wait()\n\
                    assert asyncio.run(main()) == 4\n\
                    assert subprocess.run([sys.executable, '-c', 'exit(3)']).returncode == 3\n\
                    with multiprocessing.get_context('spawn').Pool(1) as pool:\n\
                    \x20 assert pool.apply(abs, (-5,)) == 5\n\
                    pool.join(); del pool; import gc; gc.collect()\n";
        run(py, code).unwrap();
    });
}
