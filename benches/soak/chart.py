"""Curves as an SVG picture, one panel for each quantity, with the standard library alone."""

from xml.sax.saxutils import escape

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP = 900, 150, 70, 20, 50, 40
COLOURS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf", "#7f7f7f"]


def nice_top(value):
    """A round number that is not below `value`."""
    step = 1
    while step * 10 < value:
        step *= 10
    return next((step * k for k in (1, 2, 5, 10) if step * k >= value), step * 10)


def line(points, colour):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}"/>'


def text(x, y, words, anchor="start", size=11):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
        f' font-family="sans-serif">{escape(words)}</text>'
    )


def rule(x1, y1, x2, y2, colour, dashes=""):
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line x1="{x1:.1f}" y1="{y1}" x2="{x2:.1f}" y2="{y2}" stroke="{colour}"{dashed}/>'


class Chart:
    def __init__(self, title, seconds):
        self.title, self.seconds = title, max(seconds, 1)
        self.parts, self.panels = [], 0

    def x(self, second):
        return LEFT + (WIDTH - LEFT - RIGHT) * second / self.seconds

    def panel(self, name, curves, marks):
        """`curves`: lists of (second, value); `marks`: seconds at which something happened."""
        top = TOP + self.panels * (PANEL + GAP)
        bottom = top + PANEL
        self.panels += 1
        highest = nice_top(max((value for curve in curves for _, value in curve), default=1))
        self.parts.append(text(LEFT, top - 6, name, size=12))
        for part in (0, 0.5, 1):
            y = bottom - PANEL * part
            self.parts.append(rule(LEFT, y, WIDTH - RIGHT, y, "#ddd"))
            self.parts.append(text(LEFT - 6, y + 4, f"{highest * part:g}", "end"))
        for mark in marks:
            self.parts.append(rule(self.x(mark), top, self.x(mark), bottom, "#999", "3,3"))
        for number, curve in enumerate(curves):
            points = [(self.x(second), bottom - PANEL * value / highest) for second, value in curve]
            self.parts.append(line(points, COLOURS[number % len(COLOURS)]))
        for part in range(7):
            second = self.seconds * part / 6
            self.parts.append(text(self.x(second), bottom + 14, f"{second / 60:.1f}", "middle", 10))

    def svg(self):
        height = TOP + self.panels * (PANEL + GAP)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}">'
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
        )
        title = text(LEFT, 20, self.title, size=14)
        return "\n".join([head, title, *self.parts, "</svg>"]) + "\n"
