"""A copy of the project to plant defects in. The project itself is only read."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path

from config.home import ROOT
from mendline.sim.defects.patches import FilePatch, applied

# Made on the spot, or nobody's business here.
LEFT_OUT = (
    ".git", ".venv", "node_modules", "build", ".mendline", "__pycache__", ".mypy_cache", ".ruff_cache",
    ".pytest_cache", ".hypothesis", ".import_linter_cache", "images",
)  # fmt: skip
BUILT = "mendline/web/static/dist"  # by `make install`; not in the repository


class ScratchTree:
    """A copy that can be changed and put back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def planted(self, patches: tuple[FilePatch, ...]) -> Iterator[None]:
        """Have these patches applied for a while.

        Raises:
            DoesNotApply: nothing was changed.
        """
        sound = {patch.path: (self.folder / patch.path).read_text(encoding="utf-8") for patch in patches}
        sick = {patch.path: applied(patch, sound[patch.path]) for patch in patches}
        try:
            self._write(sick)
            yield
        finally:
            self._write(sound)

    def _write(self, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            path = self.folder / name
            path.write_text(text, encoding="utf-8")
            # What was compiled is recognised by second and size of its source, and both may stay the same.
            Path(cache_from_source(str(path))).unlink(missing_ok=True)


def copy_of_commit(folder: Path, root: Path = ROOT, *, named: str = "HEAD") -> str | None:
    """Copy a commit, the last one unless named, into `folder` and return its number; None without a repository.

    Raises:
        subprocess.CalledProcessError: there is no such commit.
    """
    if not (root / ".git").exists() or shutil.which("git") is None:
        return None
    commit = _git(root, "rev-parse", "--verify", "--quiet", f"{named}^{{commit}}")
    archive = folder.with_suffix(".tar")
    _git(root, "archive", "--format=tar", f"--output={archive}", commit)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    archive.unlink()
    _link_what_was_built(folder, root)
    return commit


def copy_of_files(folder: Path, root: Path = ROOT) -> None:
    """Copy the project as it lies there."""
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns(*LEFT_OUT, "dist"), dirs_exist_ok=True)
    _link_what_was_built(folder, root)


def release_before(root: Path = ROOT) -> str:
    """Return the last release, or where there was none yet: what was before the newest change of the tables."""
    tags = _git(root, "tag", "--sort=-creatordate", "--merged", "HEAD")
    if tags:
        return tags.splitlines()[0]
    return _git(root, "log", "-1", "--diff-filter=A", "--format=%H^", "--", "mendline/*/migrations/*.py")


def _link_what_was_built(folder: Path, root: Path) -> None:
    built, place = root / BUILT, folder / BUILT
    if built.exists() and not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(built, target_is_directory=True)


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(("git", "-C", str(root), *words), capture_output=True, text=True, check=True)
    return done.stdout.strip()
