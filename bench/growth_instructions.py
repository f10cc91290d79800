"""Instructions a request outside the kernel, by the bookings stored: the same whatever else the machine does."""
from callgrind import Callgrind
from growth import FIGURES, Side
from scene import Scene, Seed, progress

SIZES = (10_000, 100_000, 1_000_000)
NAMES = ("P1 warm", "P1 cold", "P2", "list of a tenant", "list of a user", "list of a resource", "P3")


def counted(side, figure, callgrind):
    """Of one request, once others like it have been seen."""
    side.send(side.file_of(figure))
    file = side.file_of(figure)  # of bookings another one
    if figure.before:
        side.send(side.file_before(figure))
    callgrind.take()
    told = side.send(file)
    return round(sum(counts.instructions for counts in callgrind.take().values()) / told["used"])


def by_instructions(quick):
    """[{figure, cost, points}], as growth.series() has them."""
    points = {name: [] for name in NAMES}
    with Seed() as seed:
        for size in SIZES[:2] if quick else SIZES:
            with Scene(size, seed=seed, env={"EVENT_WORKERS": "0", "MARCA_CONFINE": "off"}) as scene:
                side, callgrind = Side(size, scene), Callgrind(scene.marca.folder)
                scene.marca.stop()
                scene.start(*callgrind.command, pin=False)
                callgrind.attach(scene.marca.process.pid)
                for figure in FIGURES:
                    if figure.name in points:
                        progress(f"P6: instructions, {figure.name}, {size:,} bookings")
                        points[figure.name].append([size, counted(side, figure, callgrind)])
    return [{"figure": name, "cost": "instructions", "points": found} for name, found in points.items()]
