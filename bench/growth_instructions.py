"""Instructions a request outside the kernel, by the bookings stored: the same whatever else the machine does (callgrind)."""
import re
import subprocess

from growth import FIGURES, Side
from references import tool
from scene import Scene, Seed, progress

SIZES = (10_000, 100_000, 1_000_000)
NAMES = ("P1 warm", "P1 cold", "P2", "list of a tenant", "list of a user", "list of a resource", "P3")


def counted(side, figure):
    """Of one request, once others like it have been seen."""
    scene = side.scene
    out = scene.marca.folder / "callgrind.out"
    scene.marca.stop()
    scene.start("valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}", pin=False)
    side.send(side.file_of(figure))
    file = side.file_of(figure)  # of bookings another one
    if figure.before:
        side.send(side.file_before(figure))
    pid = str(scene.marca.process.pid)
    tool("callgrind_control", "-i", "on", pid, stderr=subprocess.DEVNULL)
    told = side.send(file)
    tool("callgrind_control", "-i", "off", pid, stderr=subprocess.DEVNULL)
    scene.marca.stop()
    total = sum(map(int, re.findall(r"^totals: (\d+)", out.read_text(errors="replace"), re.M)))
    out.unlink()
    scene.start()
    return total / told["used"]


def by_instructions(quick):
    """[{figure, cost, points}], as growth.series() has them."""
    points = {name: [] for name in NAMES}
    with Seed() as seed:
        for size in SIZES[:2] if quick else SIZES:
            with Scene(size, seed=seed, env={"EVENT_WORKERS": "0", "MARCA_CONFINE": "off"}) as scene:
                side = Side(size, scene)
                for figure in FIGURES:
                    if figure.name in points:
                        progress(f"P6: instructions, {figure.name}, {size:,} bookings")
                        points[figure.name].append([size, round(counted(side, figure))])
    return [{"figure": name, "cost": "instructions", "points": found} for name, found in points.items()]
