"""Traces which files and sockets ffmpeg opens."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

_CALLS = "open,openat,openat2,creat,socket,connect,bind,execve"
# Libraries, and files that the C library and the scheduler read.
_SYSTEM = re.compile(
    r"/(lib|lib64|usr/lib|usr/local/lib|etc/ld\.so|sys/devices/system|sys/fs/cgroup"
    r"|proc/(self/|cpuinfo$|meminfo$|stat$|filesystems$|sys/vm/|sys/kernel/)"
    r"|dev/null$|dev/urandom$|etc/localtime$|usr/share/zoneinfo)"
)
_CALL = re.compile(r'\d+\s+(\w+)\((?:(AT_FDCWD|-?\d+)[^,"]*, )?(?:"([^"]*)")?')


def is_installed() -> bool:
    """Tell whether strace is installed."""
    return shutil.which("strace") is not None


def write_traced_binary(binary: Path, script: Path, log: Path) -> Path:
    """Write `script`, which runs `binary` and logs its system calls to `log`."""
    command = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={_CALLS}", "-A", "-o"]
    line = shlex.join([*command, str(log), str(binary)])
    script.write_text(f'#!/bin/sh\nexec {line} "$@"\n')
    script.chmod(0o700)
    return script


def foreign_accesses(log: Path, *, binary: Path, workspace: Path) -> list[str]:
    """List accesses outside the workspace, except those to the program and to system files."""
    found: list[str] = []
    for line in log.read_text(errors="replace").splitlines():
        call = _CALL.match(line)
        if call is None:
            continue
        name, base, asked = call.groups()
        path = Path(os.path.normpath(workspace / (asked or "")))
        # A path relative to an open folder could be anywhere.
        if asked is None or base not in {None, "AT_FDCWD"}:
            found.append(line.split(maxsplit=1)[1])
        elif path != binary and not (_SYSTEM.match(str(path)) or path.is_relative_to(workspace)):
            found.append(f"{name} {path}")
    return found
