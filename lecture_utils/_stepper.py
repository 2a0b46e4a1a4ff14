"""What a stepper looks like: its style sheet and its drawing, for `stepper.stepper`.

Idea: whatever only some steps show says between which two, --a and --b; the step of the reader is --k, and the opacity follows.
Without the style sheet, what the last step shows is left.
Source: the places of boxes and arrows are those of `_graph.place`. Private to lecture_utils.
"""
import math
from html import escape

from lecture_utils import _graph
from lecture_utils.plot import COLORS

# For each kind of number its color, as text on white (vermilion and green are darkened until they read), and its accent.
KINDS = {"values": (COLORS["blue"], ""), "tangents": ("#00704F", "\u0307"), "cotangents": ("#B34700", "\u0304")}
FONT, LINE, SIDE, ENDS, INCH = 12, 15, 5, 7, 60  # pixels: of text, a line, around text, for an inch of `_graph.place`

CSS = """
.stepper{box-sizing:border-box;max-width:44rem;margin:8px 0;padding:9px 8px;border:1px solid #c4c4c4;border-radius:6px;
background:#fff;color:#1a1a1a;color-scheme:light;font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
.stepper *{box-sizing:border-box}
.stepper svg{display:block;max-width:100%;height:auto;margin:0 auto;overflow:visible}
.stepper strong{display:block;margin:0 0 6px;font-size:16px}
.stepper input,.stepper label{display:none}
.stepper ol{max-width:none;margin:0 0 12px;padding:0 0 0 2em;font:inherit}
.stepper li{margin:0 0 6px;font-variant-numeric:tabular-nums;break-inside:avoid}
@supports selector(:has(*)){@media screen{
.stepper{display:flex;flex-wrap:wrap;gap:8px 24px;align-items:flex-start}
.stepper>div{flex:1 1 17rem;min-width:0;max-width:26rem;position:sticky;top:0;z-index:1;
padding:0 0 6px;background:#fff}
.bd-article .stepper>div{top:3.5rem}
.bd-article .output:has(>.stepper){overflow:visible!important;padding:0!important;background:none!important}
.stepper [role=radiogroup]{margin:0 0 8px}
.stepper [role=radiogroup]>div{display:flex;flex-wrap:wrap}
.stepper input{display:block;flex:none;width:18px;height:18px;margin:3px;accent-color:#0072B2;cursor:pointer}
.stepper div+div>input{accent-color:#B34700}
.stepper input:focus-visible{outline:3px solid #1f4e79;outline-offset:2px}
.stepper ol{display:grid;margin:0;padding:0;list-style:none;counter-reset:step}
.stepper li{grid-area:1/1;visibility:hidden;display:grid;grid-template-columns:1fr auto 1fr;align-content:start;gap:2px 8px;
margin:0;counter-increment:step}
.stepper li::before{content:"Step " counter(step) " of " var(--last);grid-area:1/2;align-self:center}
.stepper li::marker{content:none}
.stepper li>*{grid-column:1/-1}
.stepper li>b{margin-top:8px}.stepper li>span{font-size:14px}
.stepper br{display:none}
.stepper label{display:flex;align-items:center;justify-content:center;grid-row:1;min-width:88px;height:44px;margin:0;
border:1px solid #6b6b6b;border-radius:6px;background:#f5f5f5;color:#1a1a1a;cursor:pointer;user-select:none}
.stepper label:hover{background:#e4e9ee}
.stepper .back{grid-column:1;justify-self:start}.stepper .back::before{content:"\\2039\\00a0 Back"}
.stepper .next,.stepper .over{grid-column:3;justify-self:end}.stepper .next::before{content:"Next\\00a0 \\203a"}
.stepper .over::before{content:"Start over"}
.stepper svg{flex:0 1 auto}
.stepper svg [style]{opacity:min(1 + var(--k) - var(--a),1 + var(--b) - var(--k))}
html[data-theme=dark] .stepper{filter:brightness(.86)}}
@media screen and (max-height:600px){.stepper.stepper>div{position:static}}}
""".strip()


def drawing(program, steps, result, alt):
    """The lines of the SVG: arrows and boxes, and above them what only some steps show."""
    last = len(steps)
    seen: dict[tuple[str, str], list] = {(kind, name): [] for kind in KINDS for name in program}             # (first step, last step, text)
    for k, step in enumerate(steps, 1):
        for kind, (_, accent) in KINDS.items():
            for name, value in getattr(step, kind).items():
                before = seen[kind, name]
                before[-1:] = [(a, k - 1, text) for a, _, text in before[-1:]]
                before.append((k, last, f"{accented(name, accent)} = {shown(value)}"))
    em = lambda c: 0 if c in "\u0304\u0307" else 0.36 if c in " .,:;'()ijl" else 0.86 if c in "=+−mwMW" else 0.7
    width = lambda text: FONT * sum(map(em, text))                              # of a wide sans-serif: no font is asked
    sizes = {}
    for name, node in program.items():
        texts = [_above(node), name, *(text for kind in KINDS for *_, text in seen[kind, name])]
        rows = 2 + sum(bool(seen[kind, name]) for kind in KINDS if kind != "values")
        sizes[name] = math.ceil(max(map(width, texts)) + 2 * SIDE) / INCH, (LINE * rows + 2 * ENDS) / INCH
    at, routes = _graph.place(program, {name: (w - 8 / INCH, h) for name, (w, h) in sizes.items()})      # boxes 10 pixels apart
    points = [p for route in routes for p in route] + [(at[n][0] + s * sizes[n][0] / 2, at[n][1] + s * sizes[n][1] / 2)
                                                       for n in program for s in (-1, 1)]
    left, top = min(p[0] for p in points), max(p[1] for p in points)
    pixel = lambda x: math.floor(x * INCH + 0.5001) + 4                         # whole, whatever the last digits are
    place = lambda p: (pixel(p[0] - left), pixel(top - p[1]))
    right, low = (max(c) + 4 for c in zip(*map(place, points)))
    when = lambda a, b: "" if (a, b) == (1, last) else f' style="--a:{a};--b:{b}"' + ' opacity="0"' * (b < last)
    lines = [f'<svg role="img" aria-label="{escape(alt)}" width="{right}" height="{low}" viewBox="0 0 {right} {low}" '
             f'font-family="inherit" font-size="{FONT}" text-anchor="middle">']
    edges = [(name, _curve([place(p) for p in route]))
             for (name, route) in zip([name for name, node in program.items() for _ in node.parents], routes)]
    for name, curve in edges:                               # its head is not seen while the arrow is gone against
        passed = [k for k, step in enumerate(steps, 1) if _goes_back(step) and step.at == name]
        lines += [_line(curve, "#555", 1.3)] + [_head(curve, "#555", when(a + 1, b - 1)) for a, b
                                                in zip([0, *passed], [*passed, last + 1]) if a + 1 < b]
    boxes = {name: (*place((x - sizes[name][0] / 2, y + sizes[name][1] / 2)), *(round(s * INCH) for s in sizes[name]))
             for name, (x, y) in at.items()}
    rect = lambda box, fill, color, line: ('<rect x="{}" y="{}" width="{}" height="{}" rx="5" '.format(*box)
                                           + f'fill="{fill}" stroke="{color}" stroke-width="{line}"/>')
    lines += [rect(box, "#fff", "#333", 2.6 if name == result else 1.2) for name, box in boxes.items()]
    for k, step in enumerate(steps, 1):
        color, tint = (KINDS["cotangents"][0], "#FFFAF6") if step.cotangents else (KINDS["values"][0], "#F5FAFE")
        changed, back = {step.at, *step.values, *step.tangents, *step.cotangents}, _goes_back(step)
        passed = [curve for name, curve in edges if name == step.at and (back or not step.cotangents)]
        lines += [f"<g{when(k, k)}>", *(_line(curve, color, 2.6) + _head(curve, color, backward=back) for curve in passed),
                  *(rect(boxes[name], tint if name == step.at else "#fff", color, 2.6) for name in program if name in changed),
                  "</g>"]
    for name, node in program.items():
        x, y = boxes[name][0] + boxes[name][2] / 2, boxes[name][1] + ENDS + 11
        text = lambda dy, text, more, x=x, y=y: f'<text x="{x:g}" y="{y + dy * LINE}" {more}>{escape(text)}</text>'
        lines.append(text(0, _above(node), 'fill="#333"'))
        begins = min([a for a, *_ in seen["values", name]], default=last + 1)
        lines += [text(1, name, 'font-weight="600" fill="#333"' + when(1, begins - 1))] * (begins > 1)
        row = 1
        for kind, (color, _) in KINDS.items():
            lines += [text(row, new, f'font-weight="600" fill="{color}"' + when(a, b)) for a, b, new in seen[kind, name]]
            row += kind == "values" or bool(seen[kind, name])
    return [*lines, "</svg>"]


def _above(node):
    """What stands above a node's name."""
    return node.op or ("" if node.parents else "input")


def _curve(points):
    """The commands of a curve through the points that leaves and arrives upright, and its two ends."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    bends = "".join(f"C{a} {(b + d) // 2} {c} {(b + d) // 2} {c} {d}" for (a, b), (c, d) in zip(points, points[1:]))
    return f"M{x0} {y0}{bends}", (x0, y0), (x1, y1)


def _line(curve, color, width):
    return f'<path d="{curve[0]}" fill="none" stroke="{color}" stroke-width="{width}"/>'


def _head(curve, color, when="", *, backward=False):
    """An arrow's head at the curve's lower end, or backward at its upper end."""
    (x, y), up = (curve[1], 1) if backward else (curve[2], -1)
    return f'<path d="M{x} {y}l-4 {8 * up}h8z" fill="{color}" stroke="{color}"{when}/>'


def _goes_back(step):
    """Whether a step hands cotangents from its node to the parents; where the sweep starts it does not."""
    return bool(step.cotangents) and step.at not in step.cotangents


def accented(name, accent):
    return name[0] + accent + name[1:]


def shown(value):
    """A number to four digits with a minus sign, or a text as it is."""
    return value if isinstance(value, str) else f"{float(value) + 0.0:.4g}".replace("-", "−")
