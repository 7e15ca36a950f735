//! A sandbox is not in the way of what starts processes and shares memory between them, nor of packages: how they
//! are installed, and where they keep what they compiled.
#![cfg(has = "sandbox")]

use crate::{
    sandboxed_work::{session, start},
    support::{Builder, IDLE, Server, assert_has, packages, python},
};

/// What the tests of packages need.
const REQUIREMENTS: &str =
    "joblib==1.5.2\npytest==8.4.2\nuv==0.9.5\nmatplotlib==3.10.7\nnumba>=0.60,<1\n";

fn with_packages() -> Server {
    start(Builder::new().python(packages::environment(
        "sandboxed",
        &python::default(),
        REQUIREMENTS,
    )))
}

#[test]
fn processes_are_started_in_each_way() {
    let repl = session();
    repl.write_file(
        "job.py",
        "import multiprocessing, sys\n\
         def square(x): return x * x\n\
         if __name__ == '__main__':\n    \
             multiprocessing.set_start_method(sys.argv[1])\n    \
             with multiprocessing.Pool(2) as pool:\n        \
                 print(pool.map(square, range(4)))\n    \
             queue, lock = multiprocessing.Queue(), multiprocessing.Lock()\n    \
             with lock: queue.put('put')\n    \
             print(queue.get())\n",
    );
    for method in ["fork", "spawn", "forkserver"] {
        let cell = format!("run(sys.executable, 'job.py', '{method}')");
        repl.gives(&cell, "[0, 1, 4, 9]\nput\n0\n");
    }
    repl.gives(
        "from multiprocessing import shared_memory\n\
         memory = shared_memory.SharedMemory(create=True, size=10)\n\
         memory.close()\n\
         memory.unlink()",
        IDLE,
    );
}

#[test]
fn joblib_matplotlib_and_pytest_work() {
    let repl = with_packages();
    repl.gives(
        "import joblib\n\
         joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(-x) for x in range(3))",
        "[0, 1, 2]\n",
    );
    let said = repl.repl("import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])\nplt.show()");
    assert_has(&said, "<image/png>");
    repl.write_file(
        "test_files.py",
        "def test_temporary(tmp_path):\n    (tmp_path / 'x').write_text('x')\n",
    );
    repl.gives_part("run(sys.executable, '-m', 'pytest', '-q')", "1 passed");
}

/// Batches as PyTorch's loaders hand them over (`torch.multiprocessing.set_sharing_strategy`): memory without a name
/// by a descriptor, for which who made it is asked at a socket, and memory with a name, which somebody else keeps
/// who listens at a socket among the temporary files.
const LOADER: &str = r"
import _posixshmem, mmap, multiprocessing, os, sys
from multiprocessing import managers, reduction, shared_memory

def load(number, batches, taken):
    if number % 2:
        name = f'/loader-{os.getpid()}'
        descriptor = _posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        _posixshmem.shm_unlink(name)
        os.ftruncate(descriptor, 5)
        mmap.mmap(descriptor, 5)[:] = b'batch'
        batches.put(('descriptor', reduction.DupFd(descriptor)))
    else:
        memory = shared_memory.SharedMemory(create=True, size=5)
        memory.buf[:5] = b'batch'
        memory.close()
        batches.put(('name', memory.name))
    taken.wait()

if __name__ == '__main__':
    context = multiprocessing.get_context(sys.argv[1])
    with context.Manager() as manager:
        batches, taken, kept = context.Queue(), context.Event(), manager.list()
        workers = [context.Process(target=load, args=(n, batches, taken)) for n in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            how, batch = batches.get()
            if how == 'name':
                memory = shared_memory.SharedMemory(batch)
                kept.append((how, bytes(memory.buf[:5])))
                memory.close()
                memory.unlink()
            else:
                descriptor = batch.detach()
                kept.append((how, mmap.mmap(descriptor, 5)[:]))
        taken.set()
        for worker in workers:
            worker.join()
        print(sorted(kept), [worker.exitcode for worker in workers])
";

#[test]
fn loaders_share_memory_by_descriptors_and_by_names() {
    let repl = session();
    repl.write_file("loader.py", LOADER);
    let batches = "[('descriptor', b'batch'), ('descriptor', b'batch'), ('name', b'batch'), ('name', b'batch')]";
    for method in ["fork", "spawn", "forkserver"] {
        let cell = format!("run(sys.executable, '-W', 'ignore', 'loader.py', '{method}')");
        repl.gives(&cell, &format!("{batches} [0, 0, 0, 0]\n0\n"));
    }
}

#[test]
fn what_numba_compiled_is_kept_where_it_can_be_written() {
    let repl = with_packages();
    repl.write_file(
        "jit.py",
        "import numba\n\
         @numba.njit(cache=True)\n\
         def square(x): return x * x\n\
         @numba.njit(parallel=True)\n\
         def total(n):\n    \
             s = 0\n    \
             for i in numba.prange(n): s += i\n    \
             return s\n\
         if __name__ == '__main__':\n    \
             print(square(7), total(10), sum(square.stats.cache_hits.values()))\n",
    );
    repl.gives("run(sys.executable, 'jit.py')", "49 45 0\n0\n");
    repl.gives("run(sys.executable, 'jit.py')", "49 45 1\n0\n");
    repl.gives("any(files for _, _, files in os.walk(os.environ['NUMBA_CACHE_DIR']))", "True\n");
}

/// Makes a wheel of the package `tiny` in the directory `wheels`.
const WHEEL: &str = "import zipfile\n\
    os.makedirs('wheels')\n\
    with zipfile.ZipFile('wheels/tiny-1.0-py3-none-any.whl', 'w') as wheel:\n    \
        wheel.writestr('tiny.py', 'ANSWER = 42\\n')\n    \
        info = 'tiny-1.0.dist-info/'\n    \
        wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n')\n    \
        wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n    \
        wheel.writestr(info + 'RECORD', 'tiny.py,,\\n')";

#[test]
fn packages_are_installed_from_a_directory_of_wheels() {
    let repl = with_packages();
    repl.gives(WHEEL, IDLE);
    let imports = "run('.venv/bin/python', '-c', 'import tiny; print(tiny.ANSWER)')";
    let offline = "'--no-index', '--find-links', 'wheels', 'tiny'";
    repl.gives("run(sys.executable, '-m', 'venv', '.venv')", "0\n");
    let pip = format!("run('.venv/bin/python', '-m', 'pip', 'install', '-q', {offline})");
    repl.gives_part(&pip, "0\n");
    repl.gives(imports, "42\n0\n");
    // And by uv, whose cache is where it can be written.
    repl.gives("import shutil\nshutil.rmtree('.venv')", IDLE);
    let uv = "uv = os.path.join(os.path.dirname(sys.executable), 'uv')";
    repl.gives(&format!("{uv}\nrun(uv, 'venv', '-q', '.venv')"), "0\n");
    let install = format!("run(uv, 'pip', 'install', '-q', '-p', '.venv', {offline})");
    repl.gives(&install, "0\n");
    repl.gives(imports, "42\n0\n");
}
