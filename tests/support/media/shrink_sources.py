"""Makes thirty clips of different kinds, large on purpose, for the proof of shrinking."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from bot.storyboard.clip_renderer import ClipRenderer
from bot.storyboard.clip_store import ClipOrder
from tests.support.media import clips

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.process.ffmpeg import Ffmpeg

_CAMERA = "45M"  # bits per second, as in a good camera's videos
_BEST_CAMERA = "90M"
_NEARLY_LOSSLESS = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "6", "-bufsize", "20M")
_MUSIC = "aevalsrc='0.3*sin(2*PI*220*t)+0.1*random(0)|0.3*sin(2*PI*277*t)+0.1*random(1)':s=48000"
_VOICE = f"aevalsrc='{clips.SPEECH}':s=48000"
_PROMPTS = {
    "storyboard: rainbow": ("Explain how rainbows form", "1280x720", 8),
    "storyboard: city at night": ("A city at night in the rain, neon signs", "1280x720", 8),
    "storyboard: ocean, 1080p, 12 s": ("A whale swims through the ocean", "1920x1080", 12),
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """A picture as a filter graph, in which S is the size and R the frame rate."""

    name: str
    graph: str
    size: str = "1280x720"
    seconds: int = 8
    rate: int = 30
    sound: bool = True
    rate_limit: str = _CAMERA


def _text(speed: str, *, size: int) -> str:
    font = resources.files("manimgx_fonts") / "NotoSans[wght].ttf"
    words = "Of clouds and rivers and of rain on glass "
    lines = "\n".join(f"{number} {words * 3}" for number in range(40))
    return (
        f"color=c=0x102030:s=S:r=R,drawtext=fontfile='{font}':fontcolor=white:fontsize={size}:"
        f"text='{lines}':{speed}"
    )


MANDELBROT = "mandelbrot=s=S:r=R"
LIFE = "life=s={0}:r=R:mold=10:ratio=0.2:death_color=#C83232:life_color=#00FF00"
_FOG = "perlin=s=S:r=R:octaves=4:persistence=0.6:tscale=2,format=yuv420p"

SOURCES = (
    Source(name="cartoon: flat shapes", graph="testsrc2=s=S:r=R,noise=alls=2:allf=t"),
    Source(
        name="cartoon: turning shapes",
        graph="testsrc2=s=S:r=R,rotate=a=t/2:c=0x204060,hue=h=40*t",
    ),
    Source(name="cartoon: carpet", graph="sierpinski=s=S:r=R:type=carpet,noise=alls=3:allf=t"),
    Source(name="fractal", graph=MANDELBROT),
    Source(name="fractal, 1080p, 12 s", graph="mandelbrot=s=S:r=R", size="1920x1080", seconds=12),
    Source(name="fractal, 60 fps", rate_limit=_BEST_CAMERA, graph=MANDELBROT, rate=60),
    Source(name="fractal, upright", graph=MANDELBROT, size="720x1280"),
    Source(name="fractal without sound", graph=f"{MANDELBROT}:start_scale=1", sound=False),
    Source(name="light grain", graph=f"{MANDELBROT},noise=alls=8:allf=t"),
    Source(name="heavy grain", rate_limit=_BEST_CAMERA, graph=f"{MANDELBROT},noise=alls=30:allf=t"),
    Source(
        name="grain, 1080p, 12 s",
        graph=f"{MANDELBROT},noise=alls=14:allf=t",
        size="1920x1080",
        seconds=12,
    ),
    Source(name="grain, 24 fps", graph=f"{_FOG},noise=alls=20:allf=t", rate=24),
    Source(name="noise", rate_limit=_BEST_CAMERA, graph="color=gray:s=S:r=R,noise=alls=100:allf=t"),
    Source(
        name="black, then noise", graph="color=black:s=S:r=R,noise=alls=90:allf=t:enable='gt(t,4)'"
    ),
    Source(
        name="noise, 1080p, 12 s",
        graph="color=gray:s=S:r=R,noise=alls=100:allf=t",
        size="1920x1080",
        seconds=12,
    ),
    Source(
        name="dark, with sensor noise",
        graph=f"{MANDELBROT},eq=brightness=-0.35:contrast=0.5,noise=alls=6:allf=t",
    ),
    Source(
        name="dark gradients",
        graph="gradients=s=S:r=R:c0=0x000008:c1=0x201020:speed=0.05,noise=alls=3:allf=t",
    ),
    Source(
        name="gradients",
        graph="gradients=s=S:r=R:speed=0.03:nb_colors=5:type=radial,noise=alls=2:allf=t",
    ),
    Source(name="fog", graph=f"{_FOG},noise=alls=4:allf=t"),
    Source(name="life, fine cells", graph=LIFE.format("640x360") + ",scale=S:flags=neighbor"),
    Source(name="life, coarse cells", graph=LIFE.format("160x90") + ",scale=S:flags=neighbor"),
    Source(name="automaton, scrolling", graph="cellauto=s=S:r=R:rule=30,noise=alls=3:allf=t"),
    Source(name="test pattern of circles", graph="zoneplate=s=S:r=R:kx2=12:ky2=12:kt=6"),
    Source(
        name="text, scrolling up",
        graph=_text("x=40:y=h-120*t:line_spacing=8", size=28) + ",noise=alls=3:allf=t",
    ),
    Source(name="small text, sideways", graph=_text("x=-200*t:y=10:line_spacing=2", size=15)),
    Source(
        name="cuts, five a second",
        graph="mandelbrot=s=S:r=R[a];testsrc2=s=S:r=R[b];gradients=s=S:r=R[c];"
        "[a][b]overlay=enable='lt(mod(t,0.4),0.2)'[d];[d][c]overlay=enable='lt(mod(t,0.6),0.2)'",
    ),
    Source(
        name="flashes and fades",
        graph="mandelbrot=s=S:r=R[a];testsrc2=s=S:r=R[b];"
        "[a][b]blend=all_expr='A*abs(sin(2*T))+B*(1-abs(sin(2*T)))',noise=alls=5:allf=t",
    ),
)


async def make_sources(ffmpeg: Ffmpeg, folder: Path) -> dict[str, Path]:
    """Make all clips in `folder`, and return them by name."""
    made: dict[str, Path] = {}
    for source in SOURCES:
        made[source.name] = await asyncio.to_thread(_make, source, folder / f"{len(made)}.mp4")
    for name, (prompt, size, seconds) in _PROMPTS.items():
        made[name] = await _storyboard(
            ffmpeg,
            ClipOrder(prompt=prompt, model="storyboard", seconds=seconds, size=size),
            folder / f"{len(made)}.mp4",
        )
    return made


def make_named(name: str, target: Path) -> Path:
    """Make the clip of the source with this name."""
    return _make(next(source for source in SOURCES if source.name == name), target)


def make_long(folder: Path, clip: Path) -> dict[str, Path]:
    """Make two long clips: ten minutes of a held picture, and three minutes of a moving one."""
    held, long = folder / "held.mp4", folder / "long.mp4"
    last = "setts=duration='if(eq(N,239),DURATION+592/TB,DURATION)'"
    inputs = ("-i", str(clip), "-f", "lavfi", "-i", _VOICE, "-map", "0:v", "-map", "1:a")
    coding = ("-c:v", "copy", "-bsf:v", last, "-c:a", "aac", "-b:a", "160k")
    clips.ffmpeg(*inputs, "-t", "600", *coding, str(held))
    looped = ("-stream_loop", "21", "-i", str(clip), "-map", "0", "-c", "copy")
    clips.ffmpeg(*looped, "-t", "180", str(long))
    return {"held for ten minutes": held, "three minutes": long}


def _make(source: Source, target: Path) -> Path:
    graph = source.graph.replace("=S", f"={source.size}").replace("=R", f"={source.rate}")
    # On 16-bit and RGB formats, the noise filter would be far stronger than its value.
    graph = graph.replace(",noise=", ",format=yuv420p,noise=")
    sound = ("-f", "lavfi", "-i", _MUSIC, "-map", "0:a") if source.sound else ()
    picture = ("-filter_complex", f"{graph}[picture]", "-map", "[picture]")
    coding = (*_NEARLY_LOSSLESS, "-maxrate", source.rate_limit, "-pix_fmt", "yuv420p")
    output = ("-t", str(source.seconds), *coding, "-c:a", "aac", "-movflags", "+faststart")
    clips.ffmpeg(*sound, *picture, *output, str(target))
    return target


async def _storyboard(ffmpeg: Ffmpeg, order: ClipOrder, target: Path) -> Path:
    work = target.with_suffix("")
    await asyncio.to_thread(work.mkdir)
    video = await ClipRenderer(ffmpeg).render(order, work, lambda _percent: None)
    # With the grain of a camera, because the renderer's own clips are small enough.
    grain = ("-i", str(video), "-vf", "noise=alls=6:allf=t")
    coding = (*_NEARLY_LOSSLESS, "-maxrate", _CAMERA, "-c:a", "copy", "-movflags", "+faststart")
    await asyncio.to_thread(clips.ffmpeg, *grain, *coding, str(target))
    return target
