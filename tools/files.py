"""The project's files as git sees them."""
from __future__ import annotations

import subprocess
from pathlib import Path


def tracked(root: Path) -> list[Path]:
    """The files that git tracks in a clone, and those that it would add; sorted. Raises CalledProcessError without git."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root,
                            capture_output=True, check=True).stdout.decode().split("\0")
    return [root / name for name in sorted(set(filter(None, listed))) if (root / name).is_file()]
