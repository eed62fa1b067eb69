"""`make install`: everything a fresh machine needs, in the project's own folders.

Runs before anything is installed, so it uses the standard library only and is called by path. Each step carries a
stamp with the hash of what it depends on and is left out when that has not changed.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = ("base", "dev", "embedded", "tools")
OLDEST_NODE = 20


class InstallFailed(Exception):
    """A step failed. The message says which and what to do."""


def main() -> int:
    """Bring `.venv`, `node_modules` and the bundle up to date. Returns the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is run by whatever Python make found
        print("需要 Python 3.11 或更新的版本。 Python 3.11 or newer is needed: set PYTHON=… for make.", file=sys.stderr)
        return 1
    try:
        with (ROOT / "pyproject.toml").open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)  # two `make` at once: the second waits, then finds nothing to do
            _bring_up_to_date()
    except InstallFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def _bring_up_to_date() -> None:
    own_node = _node_on_path() is None
    _step("Python 环境 packages", VENV / ".stamp", _python_inputs(own_node), lambda: _install_python(own_node))
    node_inputs = [ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc"]
    if not node_inputs[1].exists():
        return
    modules = ROOT / "node_modules"
    _step("前端依赖 front-end packages", modules / ".stamp", node_inputs, lambda: _npm("ci", "--ignore-scripts"))
    sources = sorted(path for path in (ROOT / "frontend").rglob("*") if path.is_file())
    # Of the styles only what pages name is kept, so a changed page may need another bundle.
    pages = sorted(path for path in (ROOT / "mendline" / "web").rglob("*") if path.suffix in (".html", ".py"))
    bundle = ROOT / "mendline" / "web" / "static" / "dist"
    if sources:
        _step("前端打包 bundle", bundle / ".stamp", [*node_inputs, *sources, *pages], lambda: _npm("run", "build"))


def _step(name: str, stamp: Path, inputs: Iterable[Path], work: Callable[[], None]) -> None:
    wanted = _digest(inputs)
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    stamp.unlink(missing_ok=True)
    print(f"… {name}", flush=True)
    began = time.monotonic()
    work()
    stamp.write_text(wanted, encoding="ascii")
    print(f"✓ {name} {time.monotonic() - began:.1f} s", flush=True)


def _digest(inputs: Iterable[Path]) -> str:
    # The place counts as well: installed scripts hold absolute paths, so a moved project is installed again.
    digest = hashlib.sha256(f"{ROOT}\0{sys.version}".encode())
    for path in inputs:
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _python_inputs(own_node: bool) -> list[Path]:
    locks = [ROOT / "requirements" / f"{name}.txt" for name in (*LOCKS, *(["frontend"] if own_node else []))]
    return [*locks, ROOT / "pyproject.toml", Path(__file__).resolve()]  # how it is installed counts as well


def _install_python(own_node: bool) -> None:
    if not _python_works() or not (VENV / "bin" / "uv").exists():
        shutil.rmtree(VENV, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(VENV)], "缺少 venv 模块。 On Debian: apt-get install python3-venv")
    tools = ROOT / "requirements" / "tools.txt"
    if not (VENV / "bin" / "uv").exists():
        _run([str(PYTHON), "-m", "pip", "install", "-qq", "--require-hashes", "-r", str(tools)])
    uv = [str(VENV / "bin" / "uv"), "pip"]
    where = ["--quiet", "--python", str(PYTHON)]
    locks = [str(path) for path in _python_inputs(own_node) if path.suffix == ".txt"]
    _run([*uv, "sync", *where, "--require-hashes", *locks])
    # They came with Python, older than its advisories: uv has done their work, and all that stays is what is locked.
    _run([*uv, "uninstall", *where, "pip", "setuptools"])
    _run([*uv, "install", *where, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def _python_works() -> bool:
    """Say whether `.venv` is usable here: it is not if it was moved or its Python was removed."""
    script = VENV / "bin" / "activate"
    if not PYTHON.exists() or not script.exists() or str(VENV) not in script.read_text(errors="replace"):
        return False
    return subprocess.run([PYTHON, "-c", ""], capture_output=True, check=False).returncode == 0


def _node_on_path() -> str | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = answer.strip().lstrip("v").split(".")[0]
    return npm if major.isdigit() and int(major) >= OLDEST_NODE else None


def _npm(*arguments: str) -> None:
    npm = _node_on_path() or str(VENV / "bin" / "npm")
    _run([npm, "--silent", *arguments], "前端步骤失败，见上文。 The front-end step failed, see above.")


def _run(command: list[str], advice: str = "") -> None:
    # Node from the wheel lives beside Python, so that folder comes first.
    environment = {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
        raise InstallFailed(f"安装失败 Failed: {' '.join(command[:4])} … {advice}")


if __name__ == "__main__":
    sys.exit(main())
