"""Flat guests: ours and the test guests, on all machines that can run them."""

import pytest
from conftest import BUILD
from matrix import GUESTS, MACHINES, TEST_GUESTS, TEST_MACHINES


def check(pxhv, guest, engine, cpu):
    run = pxhv("run", "--engine", engine, "--cpu", cpu, "--flat", f"{BUILD}/{guest.image}@{guest.place}",
               "--timeout", "40")
    run.expect(*guest.prints)
    assert run.status == guest.status, run.output + run.errors


@pytest.mark.parametrize("engine, cpu, name", [(*machine, name) for machine, names in MACHINES.items() for name in names])
def test_own_guest(pxhv, engine, cpu, name):
    check(pxhv, GUESTS[name], engine, cpu)


@pytest.mark.parametrize("engine, cpu", TEST_MACHINES)
@pytest.mark.parametrize("name", TEST_GUESTS)
def test_test_guest(pxhv, engine, cpu, name):
    check(pxhv, TEST_GUESTS[name], engine, cpu)


def test_real_mode_without_unrestricted_guest_is_refused(pxhv):
    guest = GUESTS["hello16"]
    run = pxhv("run", "--engine", "bochs", "--cpu", "corei5_lynnfield_750", "--timeout", "60",
               "--flat", f"{BUILD}/{guest.image}@{guest.place}")
    run.expect("(?i)unrestricted guest")
    assert run.status == 4, run.output


def test_boot_story(pxhv):
    guest = GUESTS["hello64"]
    options = ["run", "--engine", "bochs", "--timeout", "60", "--flat", f"{BUILD}/{guest.image}@{guest.place}"]
    story = ["pxHV: Pixel Hypervisor v0.1", "Jumping to hypervisor\\.\\.\\.", "Stage 2: Hypervisor loader", "VT-x supported",
             "Long mode enabled", "VMXON executed successfully!", "VMCS", "EPT", "(?i)guest loaded", "VMLAUNCH"]
    pxhv(*options).expect(*story, *guest.prints)
    quiet = pxhv(*options, "--quiet")
    quiet.expect(*guest.prints)
    assert "VMXON" not in quiet.output
