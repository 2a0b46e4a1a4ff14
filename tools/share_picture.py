"""The picture that shared links show, _assets/share.png: `python -m tools.share_picture`, once, when the logo or the name changes.

1200 by 630 pixels, as those who show it ask for: the logo's curve and tangent, the name and the subtitle of the book. Sites that show
such pictures take no SVG.
"""
from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
PICTURE = Path("_assets/share.png")
SIZE = (1200, 630)
GROUND = "#1f4e79"                                            # of the favicon


def shapes(root: Path = ROOT) -> list[tuple[list[tuple[str, list[float]]], dict]]:
    """The strokes of the logo for dark grounds: (commands with absolute numbers, the element's attributes)."""
    tree = ElementTree.parse(root / "_assets" / "logo-dark.svg")
    out = []
    for path in tree.iter("{http://www.w3.org/2000/svg}path"):
        commands = re.findall(r"([MCL]?)([-\d. ]+)", path.attrib["d"])
        out.append(([(letter or "L", [float(n) for n in numbers.split()]) for letter, numbers in commands], path.attrib))
    return out


def picture(root: Path = ROOT) -> bytes:
    """The picture as a PNG of few colors."""
    import matplotlib
    matplotlib.use("agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Circle, PathPatch
    from matplotlib.path import Path as Line
    from PIL import Image

    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    subtitle = re.findall(r"<p><em>(.*?)</em></p>", (root / "intro.md").read_text(encoding="utf-8"))[0]
    width, height = SIZE
    with plt.rc_context({"font.family": "DejaVu Serif"}):
        figure = plt.figure(figsize=(width / 100, height / 100), dpi=100, facecolor=GROUND)
        ax = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        ax.axis("off")
        scale, x0, y0 = 5.4, 70, 90
        place = lambda x, y: (x0 + scale * x, y0 + scale * y)
        for commands, attributes in shapes(root):
            points = [("L" if letter == "M" and i else letter, place(*numbers[i:i + 2]))       # more points of an M are lines
                      for letter, numbers in commands for i in range(0, len(numbers), 2)]
            codes = [{"M": Line.MOVETO, "C": Line.CURVE4, "L": Line.LINETO}[letter] for letter, _ in points]
            ax.add_patch(PathPatch(Line([point for _, point in points], codes), fill=False, edgecolor=attributes["stroke"],
                                   linewidth=0.72 * scale * float(attributes["stroke-width"]), capstyle="round"))
        ax.add_patch(Circle(place(22.4, 25.3), 4 * scale, color="#8ec1f0", zorder=3))
        first, rest = config["title"].split(" ", 1)
        for text, y, size in ((first, 190, 54), (rest, 280, 54)):
            ax.text(385, y, text, color="white", fontsize=size, fontweight="bold", va="center")
        for n, line in enumerate(re.split(r"(?<=,) (?=for )", subtitle)):
            ax.text(388, 375 + 46 * n, line, color="#dbe8f5", fontsize=23, va="center")
        ax.text(70, 555, "Notebooks in JAX and PyTorch, to read, to run and to teach from", color="#f2a65a", fontsize=22, va="center")
        raw = io.BytesIO()
        figure.savefig(raw, dpi=100, facecolor=GROUND)
        plt.close(figure)
    out = io.BytesIO()
    image = Image.open(raw).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    (ROOT / PICTURE).write_bytes(picture())
    print(f"wrote {PICTURE}")
