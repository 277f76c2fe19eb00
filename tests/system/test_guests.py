"""Flat guests: ours and the test guests, on all machines that can run them."""

import subprocess

import pytest
from conftest import BUILD, ROOT, assemble, ends
from matrix import DIALOGUES, GUESTS, MACHINES, NOT_THERE, TEST_GUESTS, TEST_MACHINES


def command(guest, engine, cpu):
    patience = "5" if guest.status == 124 else "60"  # 124: nothing but --timeout ends it
    return ["run", "--engine", engine, "--cpu", cpu, "--flat", f"{BUILD}/{guest.image}@{guest.place}",
            "--timeout", patience]


def check(pxhv, guest, engine, cpu):
    run = pxhv(*command(guest, engine, cpu))
    run.expect(*guest.prints)
    assert run.status == guest.status, run.output + run.errors


@pytest.mark.parametrize("engine, cpu, name", [(*machine, name) for machine, names in MACHINES.items() for name in names])
def test_own_guest(pxhv, engine, cpu, name):
    check(pxhv, GUESTS[name], engine, cpu)


@pytest.mark.parametrize("engine, cpu", TEST_MACHINES)
@pytest.mark.parametrize("name", [name for name in TEST_GUESTS if name not in DIALOGUES])
def test_test_guest(pxhv, engine, cpu, name):
    if (engine, name) in NOT_THERE:
        pytest.skip(NOT_THERE[engine, name])
    check(pxhv, TEST_GUESTS[name], engine, cpu)


@pytest.mark.parametrize("engine, cpu", TEST_MACHINES)
@pytest.mark.parametrize("name", DIALOGUES)
def test_dialogue(terminal, engine, cpu, name):
    guest = TEST_GUESTS[name]
    child = terminal(*command(guest, engine, cpu))
    for question, typed in DIALOGUES[name]:
        child.expect(question)
        child.send(typed)
    assert ends(child) == guest.status


def test_real_mode_without_unrestricted_guest_is_refused(pxhv):
    guest = GUESTS["hello16"]
    run = pxhv("run", "--engine", "bochs", "--cpu", "corei5_lynnfield_750", "--timeout", "60",
               "--flat", f"{BUILD}/{guest.image}@{guest.place}")
    run.expect("(?i)unrestricted guest")
    assert run.status == 4, run.output


@pytest.mark.parametrize("engine, sentence, status", [
    ("bochs", "refused", 0), ("qemu", r"VMRUN refused the VMCB \(VMEXIT_INVALID\); QEMU has mixed", 3),
])
def test_state_that_no_cpu_takes(pxhv, engine, sentence, status):
    run = pxhv("run", "--engine", engine, "--timeout", "60", "--flat", f"{BUILD}/tests/guests/cr0_nw.bin@0x100000:64")
    run.expect(sentence)
    assert run.status == status, run.output


def test_boot_story(pxhv):
    guest = GUESTS["hello64"]
    options = ["run", "--engine", "bochs", "--timeout", "60", "--flat", f"{BUILD}/{guest.image}@{guest.place}"]
    story = ["pxHV: Pixel Hypervisor v0.1", "Jumping to hypervisor\\.\\.\\.", "Stage 2: Hypervisor loader", "VT-x supported",
             r"Long mode enabled, W\^X verified", "VMXON executed successfully!", "VMCS", "EPT", "(?i)guest loaded", "VMLAUNCH"]
    pxhv(*options).expect(*story, *guest.prints)
    quiet = pxhv(*options, "--quiet")
    quiet.expect(*guest.prints)
    assert "VMXON" not in quiet.output


@pytest.mark.parametrize("engine, cpu", [next(iter(MACHINES)), *TEST_MACHINES])
def test_from_protected_to_long_mode(pxhv, tmp_path, engine, cpu):
    """The first machine has no unrestricted guest: there the hypervisor's paging stands in for none."""
    image = tmp_path / "long_mode.bin"
    subprocess.run(["nasm", "-f", "bin", ROOT / "tests/system/long_mode.asm", "-o", image], check=True)
    run = pxhv("run", "--engine", engine, "--cpu", cpu, "--multiboot", image, "--timeout", "60")
    assert run.status == 42, run.output + run.errors


@pytest.mark.parametrize("engine, cpu", TEST_MACHINES)
def test_reboots_give_all_memory_back(terminal, tmp_path, engine, cpu):
    """A page for each reboot would be more than is left beside the guest's memory."""
    image = assemble(tmp_path, "bits 16\nmov dx, 0xCF9\nmov al, 6\nout dx, al\nhlt")
    child = terminal("run", "--engine", engine, "--cpu", cpu, "--flat", f"{image}@0x7C00:16", "--host-memory", "16M",
                     "--memory", "14000K", "--timeout", "60")
    for _ in range(300):
        child.expect_exact("vm 'guest' reboots")
