"""
Sounds and videos that play: one at a time, at the step that all runs are shown at.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright import sync_api

from aim import Audio, Run, Video
from tests.ui.conftest import Open, serving

expect = sync_api.expect
RATE = 8000
SOUND_S = 3
RUNS = ("first", "second")
STEPS = (0, 50, 100)
# Records a canvas that changes, and gives the video as base64: browsers encode what they play.
RECORD = """() => new Promise((done) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
    const pen = canvas.getContext("2d");
    let frames = 0;
    const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = async () => {
        const reader = new FileReader();
        reader.onload = () => done(reader.result.split(",")[1]);
        reader.readAsDataURL(new Blob(parts));
    };
    recorder.start();
    const draw = () => {
        pen.fillStyle = `hsl(${frames * 9} 80% 50%)`;
        pen.fillRect(0, 0, 64, 48);
        if (++frames < 25) setTimeout(draw, 40);
        else recorder.stop();
    };
    draw();
})"""
PLAYS = "([player, from]) => !player.paused && player.currentTime > from"


@pytest.fixture(name="played", scope="module")
def _played(tmp_path_factory: pytest.TempPathFactory, browser: sync_api.Browser) -> Iterator[str]:
    """
    The address of a server of two runs with sounds at three steps, and with a video.
    """
    folder = tmp_path_factory.mktemp("played") / "played"
    folder.mkdir()
    page = browser.new_page()
    film = folder / "film.webm"
    film.write_bytes(base64.b64decode(page.evaluate(RECORD)))
    page.close()
    moments = np.arange(RATE * SOUND_S) / RATE
    for name in RUNS:
        with Run(repo=str(folder), system_tracking_interval=None, capture_terminal_logs=False) as run:
            run.name = name
            for step in STEPS:
                wave = 0.2 * np.sin(2 * np.pi * (220 + step) * moments)
                run.track(Audio(wave.astype(np.float32), rate=RATE, caption=f"{name} {step}"), name="tone", step=step)
            run.track(Video(str(film), caption="film"), name="film", step=0)
    with serving("--repo", str(folder)) as address:
        yield address


def wait_playing(page: sync_api.Page, player: sync_api.Locator, from_s: float = 0.0) -> None:
    """Wait until a player plays, and is past *from_s*."""
    page.wait_for_function(PLAYS, arg=[player.element_handle(), from_s])


def test_a_sound_plays_until_another_one_begins(played: str, open_page: Open) -> None:
    """
    Its clock goes on; the next sound that is played stops it.
    """
    page = open_page(f"{played}media?type=audios")
    sounds = page.locator("audio")
    expect(sounds).to_have_count(len(RUNS))
    page.get_by_role("button", name="Play second 100").click()
    wait_playing(page, sounds.first)
    page.get_by_role("button", name="Play first 100").click()
    page.wait_for_function("player => player.paused", arg=sounds.first.element_handle())
    wait_playing(page, sounds.last)


def test_all_runs_are_heard_at_the_same_step(played: str, open_page: Open) -> None:
    """
    The slider takes the sounds of all runs to an earlier step, and they play there.
    """
    page = open_page(f"{played}media?type=audios")
    for step in reversed(STEPS):
        for name in RUNS:
            expect(page.get_by_role("button", name=f"Play {name} {step}", exact=True)).to_be_visible()
        page.keyboard.press("[")
    page.get_by_role("button", name=f"Play second {STEPS[0]}", exact=True).click()
    wait_playing(page, page.locator("audio").first)


def test_a_video_plays(played: str, open_page: Open) -> None:
    """
    A video has the browser's player; it plays, from a position, too.
    """
    page = open_page(f"{played}media?type=videos")
    player = page.locator("video").first
    player.evaluate("player => player.play()")
    wait_playing(page, player)
    assert [64, 48] == player.evaluate("player => [player.videoWidth, player.videoHeight]")
