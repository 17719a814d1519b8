"""Draw the icons of the modules and of the extension.

    python tools/draw_icons.py

One family: the same rounded tile, the same few colours, drawn on a grid of 128 units with y downwards, at four times
the size, then averaged down. The pictures are committed; run this again only to change them.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb, to_rgba_array
from matplotlib.patches import Arc, Circle, Ellipse, FancyBboxPatch, Patch, PathPatch, Polygon
from matplotlib.path import Path as Curve
from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent
SIZE_PX = 128
OVERSAMPLING = 4
LINE = 72 / SIZE_PX  # a line one unit wide, in matplotlib's points

TILE_TOP, TILE_BOTTOM, TILE_EDGE = "#2a6a86", "#0d2a40", "#6aa3bb"
PALE, TISSUE, TISSUE_DARK, BONE = "#eef6f8", "#6fa0b4", "#3d7089", "#f7ecd0"
CORAL, CORAL_DARK = "#ff907a", "#d9523f"
BEAM = "#ffe27a"
DOSE = LinearSegmentedColormap.from_list("dose", ["#2b66a8", "#35b3ae", "#9fd65c", "#ffd84a", "#ff9436", "#ef3f33"])

# Seen from the front. The left one lacks what the heart takes.
RIGHT_LUNG = [(52, 36), (44, 38), (35, 49), (28, 64), (24, 82), (24, 97), (31, 100), (44, 94), (56, 91), (58, 79),
              (57, 63), (56, 47)]
LEFT_LUNG = [(76, 36), (84, 38), (93, 49), (100, 64), (104, 82), (104, 97), (97, 100), (86, 94), (77, 92), (79, 82),
             (73, 72), (71, 61), (72, 47)]
# Points away from the source at (0, 0), upwards.
PETAL = [(0, -11), (6.5, -17), (11.5, -25), (8, -29.5), (0, -31), (-8, -29.5), (-11.5, -25), (-6.5, -17)]


def smooth(points: list[tuple[float, float]], closed: bool = True) -> Curve:
    """A curve through the points, at each of them along the line that joins its neighbours."""
    p = np.asarray(points, dtype=float)
    before, after = np.roll(p, 1, 0), np.roll(p, -1, 0)
    if not closed:
        before[0], after[-1] = p[0], p[-1]
    pull = (after - before) / 6
    vertices, codes = [p[0]], [Curve.MOVETO]
    for i in range(len(p) if closed else len(p) - 1):
        j = (i + 1) % len(p)
        vertices += [p[i] + pull[i], p[j] - pull[j], p[j]]
        codes += [Curve.CURVE4] * 3
    return Curve(vertices, codes)


def turned(points: list[tuple[float, float]], degrees: float, origin: tuple[float, float]) -> np.ndarray:
    """Points turned clockwise about (0, 0), then moved to the origin."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.asarray(points, dtype=float) @ np.array([[c, s], [-s, c]]) + origin


def raster() -> tuple[np.ndarray, np.ndarray]:
    """x and y of a fine grid over the icon."""
    y, x = np.mgrid[0:128:512j, 0:128:512j]
    return x, y


def fill(axes: Axes, patch: Patch, picture: np.ndarray, zorder: float, **options) -> None:
    """Lay a picture of the whole icon inside a patch."""
    axes.imshow(picture, extent=(0, 128, 128, 0), zorder=zorder, interpolation="bilinear", clip_path=patch, **options)
    axes.set(xlim=(0, 128), ylim=(128, 0))


def glow(axes: Axes, patch: Patch, colour: str, strength: np.ndarray, zorder: float) -> None:
    """Lay one colour inside a patch, as opaque as `strength` (0 to 1) says at each point of the raster."""
    picture = np.empty((*strength.shape, 4))
    picture[...] = to_rgba_array(colour)[0]
    picture[..., 3] = np.clip(strength, 0, 1)
    fill(axes, patch, picture, zorder)


def outline_levels(axes: Axes, patch: Patch, picture: np.ndarray, levels: tuple[float, ...]) -> None:
    """Isodose lines inside a patch."""
    lines = axes.contour(*raster(), picture, levels=levels, colors="white", linewidths=1.8 * LINE, alpha=0.8, zorder=4)
    lines.set_clip_path(patch)
    axes.set(xlim=(0, 128), ylim=(128, 0))


def stroke(axes: Axes, curve: Curve, colour: str, width: float, zorder: float, **options) -> None:
    axes.add_patch(PathPatch(curve, facecolor="none", edgecolor=colour, linewidth=width * LINE, zorder=zorder,
                             capstyle="round", joinstyle="round", **options))


def new_tile() -> tuple[Axes, Patch]:
    """An empty icon, and the rounded tile that every icon stands on."""
    figure = plt.figure(figsize=(1, 1), dpi=SIZE_PX * OVERSAMPLING)
    figure.patch.set_alpha(0)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 128), ylim=(128, 0))
    axes.axis("off")
    tile = FancyBboxPatch((3, 3), 122, 122, boxstyle="round,pad=0,rounding_size=26", facecolor="none",
                          edgecolor=TILE_EDGE, linewidth=2.5 * LINE, zorder=20)
    axes.add_patch(tile)
    down = np.linspace(0, 1, 256)[:, None, None] * np.ones((1, 2, 1))
    fill(axes, tile, (1 - down) * to_rgb(TILE_TOP) + down * to_rgb(TILE_BOTTOM), 0.5)
    return axes, tile


def body_section(axes: Axes, centre: tuple[float, float], width: float, height: float) -> Ellipse:
    """A transverse section of the trunk; what fills it lies between zorder 2 and 5."""
    body = Ellipse(centre, width, height, facecolor=TISSUE_DARK, edgecolor="none", zorder=2)
    axes.add_patch(body)
    axes.add_patch(Ellipse(centre, width, height, facecolor="none", edgecolor=PALE, linewidth=5 * LINE, zorder=6))
    return body


def spine(axes: Axes, x: float, y: float) -> None:
    """A vertebra: processes, body, canal."""
    for end in ((x - 12, y + 12), (x + 12, y + 12), (x, y + 17)):
        stroke(axes, Curve([(x, y + 9), end]), BONE, 4.5, 5)
    axes.add_patch(Circle((x, y + 9), 5.5, facecolor=BONE, edgecolor="none", zorder=5))
    axes.add_patch(Ellipse((x, y), 19, 14, facecolor=BONE, edgecolor="none", zorder=5))
    axes.add_patch(Circle((x, y + 9), 2.8, facecolor=TISSUE_DARK, edgecolor="none", zorder=5.1))


def airways(axes: Axes) -> None:
    for points in ([(64, 17), (64, 42)], [(64, 40), (61, 48), (53, 55)], [(64, 40), (67, 48), (75, 55)]):
        stroke(axes, smooth(points, closed=False), PALE, 6.5, 1.8)


def organ_segmenter() -> Axes:
    """Two lungs: one is done, the other's contour is almost closed, under the pen."""
    axes, _ = new_tile()
    airways(axes)
    axes.add_patch(PathPatch(smooth(RIGHT_LUNG), facecolor=CORAL, edgecolor=CORAL_DARK, linewidth=3 * LINE, zorder=2))
    axes.add_patch(PathPatch(smooth(LEFT_LUNG), facecolor=TISSUE_DARK, edgecolor=TISSUE, linewidth=3 * LINE, zorder=2))
    drawn = LEFT_LUNG[:1:-1]
    stroke(axes, smooth(drawn, closed=False), BEAM, 6.5, 4)
    pen(axes, drawn[-1])
    return axes


def pen(axes: Axes, tip: tuple[float, float]) -> None:
    """A pencil that touches `tip` from the upper right."""
    whole = [(0, 0), (-6, -13), (-6, -38), (6, -38), (6, -13)]
    axes.add_patch(Polygon(turned(whole, 33, tip), closed=True, facecolor=TILE_BOTTOM, edgecolor=TILE_BOTTOM,
                           linewidth=5 * LINE, joinstyle="round", zorder=7))
    for part, colour in (([(0, 0), (-6, -13), (6, -13)], BONE), ([(0, 0), (-2.5, -5.4), (2.5, -5.4)], TILE_BOTTOM),
                         ([(-6, -13), (-6, -31), (6, -31), (6, -13)], CORAL),
                         ([(-6, -31), (-6, -38), (6, -38), (6, -31)], PALE)):
        axes.add_patch(Polygon(turned(part, 33, tip), closed=True, facecolor=colour, edgecolor="none", zorder=8))


def dose_estimator() -> Axes:
    """A fan of X-rays on a section of the trunk, and the dose it leaves there."""
    axes, _ = new_tile()
    focus, centre = (64, 16), (64, 82)
    body = body_section(axes, centre, 100, 64)
    x, y = raster()
    depth = np.hypot(x - focus[0], y - focus[1]) - 34
    angle = np.degrees(np.arctan2(x - focus[0], y - focus[1]))
    dose = np.exp(-np.clip(depth, 0, None) / 42) / (1 + np.exp((np.abs(angle) - 42) / 4))
    fill(axes, body, dose, 3, cmap=DOSE, vmin=0.05, vmax=0.92)
    outline_levels(axes, body, dose, (0.4, 0.62))
    spine(axes, 64, 91)
    fan = Polygon([focus, (14, 78), (114, 78)], closed=True, facecolor="none", edgecolor="none", zorder=1)
    axes.add_patch(fan)
    glow(axes, fan, BEAM, 1.0 - (y - focus[1]) / 150, 1.5)
    axes.add_patch(FancyBboxPatch((51, 10), 26, 11, boxstyle="round,pad=0,rounding_size=4", facecolor=PALE,
                                  edgecolor="none", zorder=7))
    return axes


def internal_dosimetry() -> Axes:
    """A section of the trunk with activity in it, sending out on three sides, and the dose around."""
    axes, _ = new_tile()
    body = body_section(axes, (64, 66), 110, 86)
    source = (64, 59)
    x, y = raster()
    distance = np.hypot(x - source[0], y - source[1])
    dose = np.exp(-((distance / 40) ** 2))
    fill(axes, body, dose, 3, cmap=DOSE, vmin=0.05, vmax=0.9)
    spine(axes, 64, 88)
    for degrees in (0, 120, 240):
        axes.add_patch(PathPatch(smooth(turned(PETAL, degrees, source)), facecolor="white", edgecolor="none", zorder=6))
    axes.add_patch(Circle(source, 7, facecolor="white", edgecolor="none", zorder=7))
    return axes


def organ_dose() -> Axes:
    """Two lungs coloured by dose, in the ring of a scanner."""
    axes, _ = new_tile()
    airways(axes)
    x, y = raster()
    dose = np.exp(-(((x - 64) / 60) ** 2 + ((y - 74) / 34) ** 2))
    for lung in (RIGHT_LUNG, LEFT_LUNG):
        patch = PathPatch(smooth(lung), facecolor="none", edgecolor=PALE,
                          linewidth=2.5 * LINE, zorder=4)
        axes.add_patch(patch)
        fill(axes, patch, dose, 3, cmap=DOSE, vmin=0.1, vmax=0.85)
    for theta1, theta2, zorder in ((180, 360, 1.2), (0, 180, 6)):
        axes.add_patch(Arc((64, 74), 106, 34, theta1=theta1, theta2=theta2, edgecolor=BEAM, linewidth=6.5 * LINE,
                           zorder=zorder))
    return axes


ICONS = {
    "OrganSegmenter/Resources/Icons/OrganSegmenter.png": organ_segmenter,
    "DoseEstimator/Resources/Icons/DoseEstimator.png": dose_estimator,
    "InternalDosimetry/Resources/Icons/InternalDosimetry.png": internal_dosimetry,
    "Resources/Icons/OrganDose.png": organ_dose,
}


def save(axes: Axes, path: Path) -> None:
    axes.figure.canvas.draw()
    large = Image.fromarray(np.asarray(axes.figure.canvas.buffer_rgba()))
    plt.close(axes.figure)
    small = np.array(large.resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS))
    small[..., :3] &= 0xFE  # the lowest bit of a colour cannot be seen and takes a sixth of the file
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(small).save(path, optimize=True)


if __name__ == "__main__":
    for name, draw in ICONS.items():
        save(draw(), REPOSITORY / name)
