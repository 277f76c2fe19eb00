"""What this PC can run, what it cannot and why, and which packages are missing."""

import subprocess

from . import qemu
from .engine import choose, cpu_virtualization, kvm_problem
from .project import find_program, packages

# The programs worth a line, each with the option that makes it say its version, if it has one.
PROGRAMS = (
    ("bochs", "--help", "Bochs x86 Emulator"),
    (qemu.PROGRAM, "--version", "version"),
    ("nasm", "-v", "version"),
    ("gcc", "--version", "gcc"),
    ("iasl", "-v", "version"),
    ("mkfs.fat", "--help", ""),
    ("mcopy", "--version", "mtools"),
    ("gdb", "--version", "GNU gdb"),
)

VIRTUALIZATION = {"vmx": "Intel VT-x", "svm": "AMD-V", "": "no hardware virtualization to be seen"}


def version_line(program: str, option: str, word: str) -> str:
    """The line of the program's own words that has its version."""
    if not word:
        return "here"
    try:
        out = subprocess.run([find_program(program), option], capture_output=True, text=True, timeout=10,
                             stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as e:
        return f"does not run: {e}"
    lines = (out.stdout + out.stderr).splitlines()
    return next((line.strip() for line in lines if word in line), "here")


def missing_packages(section: str) -> list[str]:
    """The packages of a section that dpkg does not have; none on systems without dpkg."""
    if not find_program("dpkg-query"):
        return []
    missing = []
    for name in packages(section):
        done = subprocess.run(["dpkg-query", "-W", "-f=${Status}", name], capture_output=True, text=True)
        if not done.stdout.endswith(" installed"):
            missing.append(name)
    return missing


def run() -> int:
    """Prints the findings. 0 when at least one engine can run the hypervisor here, else 5."""
    print(f"CPU      {VIRTUALIZATION[cpu_virtualization()]}")
    problem = kvm_problem()
    print(f"kvm      {'ready: nested virtualization is on' if not problem else 'no: ' + problem}")
    has_bochs, has_qemu = bool(find_program("bochs")), bool(find_program(qemu.PROGRAM))
    print(f"bochs    {'ready: emulates VT-x and AMD-V' if has_bochs else 'no: not installed'}")
    print(f"qemu     {'ready: emulates AMD-V (VT-x only with KVM)' if has_qemu else 'no: not installed'}")
    usable = has_bochs or has_qemu
    print(f"auto     {choose('') if usable else 'nothing that can run the hypervisor'}")
    print()
    for program, option, word in PROGRAMS:
        print(f"{program:19}{version_line(program, option, word) if find_program(program) else 'missing'}")
    print()
    for section, purpose in (("run", "build and run"), ("guest", "make run's Linux"), ("debian", "make debian"),
                             ("gdb", "make gdb"), ("test", "make test"), ("lint", "make lint"), ("fuzz", "make fuzz")):
        missing = missing_packages(section)
        print(f"{purpose:19}{'all packages here' if not missing else 'apt-get install ' + ' '.join(missing)}")
    return 0 if usable else 5
