"""Resident memory of a real kernel at each step of the loop, up to training at the CPU defaults.

The goal is under 1.5 GB throughout.
"""

import argparse
import threading

import psutil
from jupyter_client.manager import start_new_kernel

STEPS = {
    "import": "import histowidgets as hw",
    "studio": 'studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"])',
    "strokes": """
name = studio.project.image_names[0]
for k, (c, x0, y0) in enumerate([("Epithelium", 118, 60), ("Stroma", 260, 230), ("Lumen", 345, 110)] * 3):
    x, y = x0 + 18 * (k // 3), y0 + 60 * (k // 3)
    studio.project.annotate(name, hw.Stroke([(x, y), (x + 20, y + 30)], width=8), c)
""",
    "quick prediction": "assert studio._live.quick.idle.wait(60) and studio.prediction is not None",
    "training": "run = studio.train(); state = run.wait(); print(state, len(run.history), 'epochs')",
    "closed": "studio.close()",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timeout", type=float, default=600, help="most seconds a step may take")
    timeout = parser.parse_args().timeout
    manager, client = start_new_kernel(kernel_name="python3")
    process = psutil.Process(manager.provisioner.pid)
    peak, done = [0], threading.Event()

    def sample() -> None:
        while not done.wait(0.1):
            peak[0] = max(peak[0], process.memory_info().rss)

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    highest = 0
    try:
        for step, code in STEPS.items():
            peak[0] = 0
            reply = client.execute_interactive(code, timeout=timeout, output_hook=lambda message: None)
            if reply["content"]["status"] != "ok":
                raise SystemExit("\n".join(reply["content"]["traceback"]))
            peak[0] = max(peak[0], process.memory_info().rss)
            highest = max(highest, peak[0])
            print(f"{step:20s} peak {peak[0] / 1e6:7.0f} MB", flush=True)
    finally:
        done.set()
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    print(f"highest {highest / 1e6:.0f} MB, goal 1500 MB")


if __name__ == "__main__":
    main()
