"""Watches which files and sockets an ffmpeg asks for."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

_CALLS = "open,openat,openat2,creat,socket,connect,bind,execve"
# The program itself, its libraries, and what the C library and the scheduler look at.
_SYSTEM = re.compile(
    r"/(lib|lib64|usr/lib|usr/local/lib|etc/ld\.so|sys/devices/system|sys/fs/cgroup"
    r"|proc/(self/|cpuinfo$|meminfo$|stat$|filesystems$|sys/vm/|sys/kernel/)"
    r"|dev/null$|dev/urandom$|etc/localtime$|usr/share/zoneinfo)"
)
_CALL = re.compile(r'\d+\s+(\w+)\((?:(AT_FDCWD|-?\d+)[^,"]*, )?(?:"([^"]*)")?')


def is_here() -> bool:
    """Tell whether strace is installed."""
    return shutil.which("strace") is not None


def traced(binary: Path, script: Path, log: Path) -> Path:
    """Write `script`, which runs `binary` and lists in `log` what it asks the system for."""
    command = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={_CALLS}", "-A", "-o"]
    line = shlex.join([*command, str(log), str(binary)])
    script.write_text(f'#!/bin/sh\nexec {line} "$@"\n')
    script.chmod(0o700)
    return script


def strange(log: Path, *, binary: Path, workspace: Path) -> list[str]:
    """List what was asked for outside the workspace, apart from the program itself."""
    found: list[str] = []
    for line in log.read_text(errors="replace").splitlines():
        call = _CALL.match(line)
        if call is None:
            continue
        name, base, asked = call.groups()
        path = Path(os.path.normpath(workspace / (asked or "")))
        # What is named from an open folder could be anywhere.
        if asked is None or base not in {None, "AT_FDCWD"}:
            found.append(line.split(maxsplit=1)[1])
        elif path != binary and not (_SYSTEM.match(str(path)) or path.is_relative_to(workspace)):
            found.append(f"{name} {path}")
    return found
