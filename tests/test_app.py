"""The page without a browser: what its handlers do, and the endpoint for programs."""

from __future__ import annotations

import base64
import copy
import io
import json
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

gr = pytest.importorskip("gradio")

from conftest import NoTorch, apple_drawing, drawn, half_mask, tiny_checkpoint
from diffusion import images, save_checkpoint
from diffusion.page import app, lesson_page, studio
from diffusion.sampler import Step

CIFAR = {"class": ["airplane", "cat"]}


@pytest.fixture(scope="module")
def checkpoints():
    return {"tiny": tiny_checkpoint()}


def start(
    checkpoints,
    session,
    picture="",
    *,
    strength=0.6,
    steps=10,
    seed=7,
    labels=("apple", "noto"),
    count=1,
    after=None,
    guidance=2.0,
):
    ticket, _ = app.ask(session, count, after)
    return app.generate(
        checkpoints, session, ticket, "tiny", picture, strength, steps, guidance, seed, 0.0, True, *labels
    )


def decoded(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))


# ---- choices


def test_a_subject_offers_only_the_styles_it_was_seen_in(checkpoints):
    ckpt = checkpoints["tiny"]
    assert app.label_choices(ckpt, ["apple"]) == ["photo", "noto", "fluent-3d"]
    assert app.label_choices(ckpt, ["cat"]) == ["noto", "fluent-3d"]
    assert app.label_choices(ckpt, ["pear"]) == ["photo"]


def test_the_style_stays_where_the_new_subject_has_it(checkpoints):
    ckpt = checkpoints["tiny"]
    assert app.settle(ckpt, ["cat", "fluent-3d"])[1] == (["noto", "fluent-3d"], "fluent-3d")
    assert app.settle(ckpt, ["cat", "photo"])[1] == (["noto", "fluent-3d"], "noto")


def test_a_checkpoint_with_one_kind_hides_the_second_selector():
    updates = app.selector_updates(tiny_checkpoint(CIFAR, []), ["cat", "noto"], count=2)
    assert updates[0]["value"] == "cat" and updates[0]["visible"]
    assert updates[1]["visible"] is False


def test_a_checkpoint_without_labels_has_a_page(tmp_path):
    save_checkpoint(tmp_path / "plain.safetensors", tiny_checkpoint({}, []))
    assert app.build(tmp_path).fns


def test_example_drawings_are_those_whose_subject_is_known(checkpoints, drawings_folder, monkeypatch):
    monkeypatch.setattr(app, "DRAWINGS", drawings_folder)
    assert [drawing["subject"] for drawing in app.example_drawings(checkpoints["tiny"])] == ["apple", "cat"]


@pytest.mark.parametrize("name, shown", [("fluent-3d", "Fluent 3D"), ("ice cream", "Ice cream")])
def test_labels_are_shown_as_people_write_them(name, shown):
    assert studio.pretty(name) == shown


def test_the_canvas_is_offered_the_colours_of_the_subject(checkpoints):
    ckpt = checkpoints["tiny"]
    typical = app.typical_colours(ckpt, "ice cream", "noto")
    assert typical == {"label": "Typical of ice cream", "colours": ["#f3b4c6", "#e9d9a8", "#c98a4b"]}
    assert app.typical_colours(ckpt, "cat", "noto")["colours"] == [], "none are known"
    assert app.typical_colours(ckpt, "a subject of another model", None)["colours"] == []
    assert app.typical_colours(ckpt, None)["colours"] == []
    assert app.typical_colours(tiny_checkpoint({}, []))["colours"] == []


@pytest.mark.parametrize("label_names", [CIFAR, {"subject": ["apple"], "style": ["photo"]}])
def test_the_colours_follow_the_subject_where_it_is_the_only_kind_too(label_names, tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", tiny_checkpoint(label_names, []))
    demo = app.build(tmp_path)
    (subject,) = (block._id for block in demo.blocks.values() if getattr(block, "elem_id", "") == "label-0")
    assert [fn.name for fn in demo.fns.values() if (subject, "input") in fn.targets] == ["choose"]


# ---- a run


def frames_of(messages: list[dict]) -> list[dict]:
    return [frame for message in messages for frame in message.get("frames", [])]


def test_a_run_sends_every_step_and_then_the_result(checkpoints):
    session = studio.Session()
    messages = list(start(checkpoints, session, drawn()))
    assert [m["phase"] for m in messages] == ["run"] * (len(messages) - 1) + ["done"]
    assert {m["start"] for m in messages} == {1}
    frames = frames_of(messages)
    assert [frame["say"] for frame in frames] == [f"Step {i} of 6" for i in range(1, 7)], "strength 0.6 of 10"
    assert decoded(frames[0]["x0"]).size == decoded(frames[0]["x"]).size == (16, 16)
    assert decoded(messages[-1]["picture"]).size == (512, 512)
    assert messages[-1]["name"] == "apple-noto-7"
    assert len(session.runs[1].steps) == 6


def test_the_result_stands_where_the_drawing_stood(checkpoints):
    small = Image.new("RGB", (512, 512), "white")
    ImageDraw.Draw(small).ellipse([300, 40, 400, 140], fill="red")
    *_, done = start(checkpoints, studio.Session(), {"picture": studio.data_url(small), "keep": ""})
    left, top, side = done["box"]
    assert side == pytest.approx(101 / 512 / images.FILL, abs=1 / 512)
    middle = [(left + side / 2) * 512, (top + side / 2) * 512]
    assert middle == pytest.approx([350.5, 90.5], abs=1)
    pixels = np.asarray(decoded(done["picture"]))
    assert (pixels[256:] == 255).all() and (pixels[:, :256] == 255).all(), "white where nothing was drawn"
    assert pixels[40:140, 300:400].min() < 200


def test_what_is_kept_is_kept_pixel_for_pixel(checkpoints):
    drawing = apple_drawing()
    value = {"picture": studio.data_url(drawing), "keep": studio.data_url(half_mask())}
    *_, done = start(checkpoints, studio.Session(), value, strength=0.9)
    result, before = np.asarray(decoded(done["picture"])), np.asarray(drawing)
    assert (result[:, :256] == before[:, :256]).all()
    assert (result[:, 257:] != before[:, 257:]).any()


# ---- several at once, one of them, and on from one of its steps


def test_several_seeds_at_once_are_the_pictures_of_each_seed(checkpoints):
    session = studio.Session()
    *_, done = start(checkpoints, session, drawn(), seed=7, count=4)
    assert done["count"] == 4 and "picture" not in done and "seeds 7 to 10" in done["say"]
    assert decoded(frames_of(list(start(checkpoints, session, drawn(), count=4)))[0]["x0"]).size == (64, 16)
    chosen = app.choose_one(session, SimpleNamespace(run=1, k=2))
    *_, alone = start(checkpoints, studio.Session(), drawn(), seed=9)
    assert chosen["settings"] == alone["settings"] and chosen["name"] == "apple-noto-9"
    difference = np.subtract(decoded(chosen["picture"]), decoded(alone["picture"]), dtype=np.int16)
    assert np.abs(difference).max() <= 1


def test_going_on_unchanged_gives_the_same_picture_and_a_change_another(checkpoints):
    session = studio.Session()
    *_, done = start(checkpoints, session, drawn())

    def on(**changes):
        messages = list(start(checkpoints, session, "", after={"run": 1, "k": 0, "step": 3}, **changes))
        frames = frames_of(messages)
        assert [frame["say"] for frame in frames] == [f"Step {i} of 6" for i in range(1, 7)], (
            "all are sent again"
        )
        return messages[-1]

    assert on()["picture"] == done["picture"], "the drawing is the old run's, whatever is on the canvas"
    assert on(strength=0.1, steps=50)["settings"] == done["settings"], "these belong to the old run"
    others = [on(labels=("cat", "noto")), on(guidance=5.0), on(seed=8)]
    assert len({other["picture"] for other in [done, *others]}) == 4
    assert others[0]["settings"]["labels"]["subject"] == "cat"


def test_a_run_can_be_too_old_to_go_on_from(checkpoints, monkeypatch):
    monkeypatch.setattr(studio, "KEPT_RUNS", 2)
    session = studio.Session()
    for _ in range(3):
        list(start(checkpoints, session, drawn(), strength=0.2))
    assert sorted(session.runs) == [2, 3]
    monkeypatch.setattr(app.gr, "Warning", lambda text: None)
    (message,) = start(checkpoints, session, drawn(), after={"run": 1, "k": 0, "step": 1})
    assert message["phase"] == "idle" and message["say"] == studio.TOO_OLD


def test_a_result_carries_its_settings(checkpoints):
    *_, done = start(checkpoints, studio.Session(), drawn(), seed=3)
    stored = json.loads(decoded(done["picture"]).text[studio.PNG_KEY])
    assert stored == done["settings"]
    assert (stored["model"], stored["seed"], stored["strength"]) == ("tiny", 3, 0.6)
    assert stored["labels"] == {"subject": "apple", "style": "noto"}


# ---- searching the strength


def test_more_of_one_and_less_of_the_other_halve_the_strengths_left():
    session = studio.Session()
    assert app.search_strength(session, 0.6, more_real=True) == 0.8
    assert app.search_strength(session, 0.8, more_real=False) == 0.7
    assert app.search_strength(session, 0.7, more_real=True) == 0.75
    assert app.search_strength(session, 0.2, more_real=False) == 0.1, "moved by hand: a new search"


@pytest.mark.parametrize(
    "chosen, says",
    [
        (["apple", "noto"], "More like an apple"),
        (["ice cream"], "More like an ice cream"),
        ([None], "More real"),
    ],
)
def test_the_button_names_the_subject(chosen, says):
    assert app.more_real(chosen) == says


def test_the_seed_decides_the_picture(checkpoints):
    def picture(seed):
        return list(start(checkpoints, studio.Session(), drawn(), seed=seed))[-1]["picture"]

    assert picture(1) == picture(1) != picture(2)


def test_a_blank_canvas_is_imagined_from_noise_with_a_hint(checkpoints, monkeypatch):
    hints = []
    monkeypatch.setattr(app.gr, "Info", hints.append)
    white = studio.data_url(Image.new("RGB", (512, 512), "white"))
    for canvas in ("", None, {"picture": white, "keep": ""}):
        messages = list(start(checkpoints, studio.Session(), canvas))
        assert frames_of(messages)[0]["say"] == "Step 1 of 10", "all steps: strength 1"
        assert messages[-1]["say"].startswith("Pure imagination")
    assert hints == [app.BLANK] * 3


def test_outlines_are_coloured_in_unless_switched_off(checkpoints):
    outline = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(outline).ellipse([8, 8, 56, 56], outline="red", width=4)

    def middle(colour):
        prepared = studio.framed(outline, checkpoints["tiny"], {"subject": "apple"}, colour)
        return prepared.x0[0, :, 8, 8].tolist()

    assert middle(True) == [1, -1, -1] and middle(False) == [1, 1, 1]


def test_strength_0_says_that_the_drawing_was_kept(checkpoints):
    messages = list(start(checkpoints, studio.Session(), drawn(), strength=0))
    assert [m["phase"] for m in messages] == ["run", "done"]
    assert "Strength 0" in messages[-1]["say"]
    assert decoded(messages[-1]["picture"]).getpixel((256, 256))[0] > 200, "the red of the drawing"


@pytest.mark.parametrize(
    "picture, sentence",
    [
        ("hello", studio.BAD_PICTURE),
        ("data:text/html;base64,aGVsbG8=", studio.BAD_PICTURE),
        ("data:image/png;base64,%%%", studio.BAD_PICTURE),
        ("data:image/png;base64,aGVsbG8=", "not a picture"),
        ("data:image/png;base64," + "A" * studio.MAX_DATA_URL, studio.BIG_PICTURE),
    ],
)
def test_a_bad_picture_is_one_sentence_and_the_result_stays(checkpoints, picture, sentence, monkeypatch):
    warnings = []
    monkeypatch.setattr(app.gr, "Warning", warnings.append)
    session = studio.Session()
    list(start(checkpoints, session, drawn()))
    (message,) = start(checkpoints, session, {"picture": picture, "keep": ""})
    assert message["phase"] == "idle" and sentence in message["say"]
    assert warnings == [message["say"]]
    assert list(session.runs) == [1]


def test_an_unknown_label_is_one_sentence(checkpoints, monkeypatch):
    monkeypatch.setattr(app.gr, "Warning", lambda text: None)
    (message,) = start(checkpoints, studio.Session(), drawn(), labels=("aple", "noto"))
    assert "apple" in message["say"]


def test_a_surprise_is_no_traceback_on_the_page(checkpoints, monkeypatch):
    monkeypatch.setattr(app, "read_drawing", lambda *_: 1 / 0)
    run = start(checkpoints, studio.Session(), drawn())
    assert next(run)["say"] == app.FAILED
    with pytest.raises(gr.Error, match="try again"):
        next(run)


# ---- stop, and a new run while one is going on


@pytest.fixture
def slow(monkeypatch):
    """Every step of the model waits until the test lets it go on: slow.set() for all, see `one_step`."""
    gate = threading.Semaphore(0)
    paint = studio.paint

    def gated(*args, **kwargs):
        steps = paint(*args, **kwargs)
        for step in steps:
            gate.acquire()
            yield step

    monkeypatch.setattr(app, "paint", gated)
    return gate


def test_stop_keeps_the_last_frame(checkpoints, slow):
    session = studio.Session()
    run = start(checkpoints, session, drawn(), strength=1, steps=50)
    for _ in range(3):
        slow.release()
        message = next(run)
    assert app.call_off(session)["phase"] == "idle"
    slow.release()  # the step that was going on
    rest = list(run)
    assert [m["phase"] for m in rest] == ["done"]
    assert rest[0]["say"].startswith("Stopped after 3 of 50 steps")
    assert rest[0]["run"] >= message["run"], "an older number would be ignored by the page"
    assert len(session.runs[1].steps) == 3


def test_stop_calls_off_a_run_that_waits_in_the_queue(checkpoints):
    session = studio.Session()
    run = start(checkpoints, session, drawn())
    app.call_off(session)
    assert list(run) == []


def test_a_new_run_ends_the_old_one_at_its_next_step(checkpoints, slow):
    session = studio.Session()
    old = start(checkpoints, session, drawn(), strength=1, steps=50)
    slow.release()
    next(old)
    new = start(checkpoints, session, drawn())
    slow.release()
    assert list(old) == []
    slow.release(100)
    assert [m["phase"] for m in new][-1] == "done"


def test_the_newest_drawing_wins_whatever_the_order_they_come_in(checkpoints, monkeypatch):
    session, begun, read = studio.Session(), [], app.read_drawing
    monkeypatch.setattr(app, "read_drawing", lambda *args: begun.append(args[-1].seed) or read(*args))
    runs = [start(checkpoints, session, drawn(), seed=seed) for seed in (1, 2, 3)]
    assert [bool(list(runs[i])) for i in (0, 2, 1, 2)] == [False, True, False, False]
    assert session.runs[3].settings.seed == 3
    assert begun == [3], "for the others not even the drawing is looked at"


def test_one_ticket_makes_one_run(checkpoints):
    session = studio.Session()
    ticket, _ = app.ask(session)
    rest = ("tiny", drawn(), 0.6, 10, 2.0, 7, 0.0, True, "apple", "noto")
    runs = [app.generate(checkpoints, session, ticket, *rest) for _ in range(2)]
    assert [bool(list(run)) for run in runs] == [True, False]


def test_closing_a_run_closes_the_sampler(checkpoints, monkeypatch):
    closed = []

    def endless(ckpt, image, *_, **__):
        try:
            while True:
                time.sleep(0.005)  # no model is quicker than its frames are drawn
                yield Step(index=1, total=50, t=0, x=image, x0=image)
        finally:
            closed.append(True)

    monkeypatch.setattr(studio, "edit", endless)
    run = start(checkpoints, studio.Session(), drawn())
    next(run)
    run.close()  # what Gradio does when the tab is closed
    deadline = time.monotonic() + 10
    while not closed and time.monotonic() < deadline:
        time.sleep(0.001)
    assert closed


def test_torch_computes_in_the_model_s_thread_alone(tmp_path):
    """A second thread in which it has computed slows every step down, see MODEL_THREAD in studio.py."""
    checkpoints, session = {"tiny": tiny_checkpoint(image_size=64)}, studio.Session()
    save_checkpoint(tmp_path / "tiny.safetensors", checkpoints["tiny"])
    request = app.read_request(checkpoints, subject="apple", steps=5)
    with NoTorch():
        texts(app.build(tmp_path))  # Gradio copies what it keeps
        list(start(checkpoints, session, {**drawn(), "keep": studio.data_url(half_mask())}, count=4))
        list(start(checkpoints, session, drawn(), seed=8, after={"run": 1, "k": 2, "step": 3}))
        app.choose_one(session, SimpleNamespace(run=1, k=2))
        app.make_gif(session, SimpleNamespace(run=1, k=2))
        list(app.api_generate(request))
        app.api_variations(request, 3)
        app.api_animation(request)
        request = replace(request, drawing=studio.read_drawing(drawn(), request.ckpt, request.settings))
        app.api_add_noise(request)
        example = app.look(checkpoints, "tiny", drawn(), 0.6, 10, 2, 7, 0.5, True, "cat", "noto")
        copy.deepcopy(example)
        lesson_page.explain_noising(checkpoints, example, 500)
        lesson_page.explain_step(checkpoints, example, 500)
        list(lesson_page.explain_dials(checkpoints, example))


def test_checkpoints_are_loaded_in_the_model_s_thread(checkpoint_folder, monkeypatch):
    threads, load = [], app.load_checkpoint
    monkeypatch.setattr(
        app, "load_checkpoint", lambda path: threads.append(threading.current_thread()) or load(path)
    )
    app.find_checkpoints(checkpoint_folder)
    assert threads == [studio.in_model_thread(threading.current_thread)]


def test_the_gif_begins_with_the_drawing_and_has_every_step(checkpoints):
    session = studio.Session()
    list(start(checkpoints, session, drawn()))
    gif = decoded(app.make_gif(session, SimpleNamespace(run=1, k=0))["gif"])
    assert (gif.format, gif.n_frames, gif.size) == ("GIF", 7, (studio.GIF_SIDE, studio.GIF_SIDE))
    assert gif.info["duration"] == studio.DRAWING_MS, "the drawing first"
    with pytest.raises(gr.Error):
        app.make_gif(session, SimpleNamespace(run=2, k=0))


# ---- checkpoints on disk


def texts(demo: gr.Blocks) -> str:
    return " ".join(str(c["props"].get("value")) for c in demo.get_config_file()["components"])


def test_a_damaged_checkpoint_is_named_and_the_others_work(tmp_path):
    save_checkpoint(tmp_path / "good.safetensors", tiny_checkpoint())
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    found, problems = app.find_checkpoints(tmp_path)
    assert list(found) == ["good"]
    assert len(problems) == 1 and problems[0].startswith("bad.safetensors is damaged")
    assert str(tmp_path) not in problems[0], "the page should not tell where the server keeps its files"
    assert problems[0] in texts(app.build(tmp_path))


def test_the_largest_pictures_come_first(tmp_path):
    for name, size in (("a", 8), ("b", 16), ("c", 16)):
        save_checkpoint(tmp_path / f"{name}.safetensors", tiny_checkpoint(image_size=size))
    assert list(app.find_checkpoints(tmp_path)[0]) == ["b", "c", "a"]


def test_without_a_checkpoint_the_page_says_how_to_get_one(tmp_path):
    assert app.NO_MODEL in texts(app.build(tmp_path))
    assert app.NO_MODEL in texts(app.build(tmp_path / "missing"))


def test_the_picker_shows_only_where_there_is_a_choice(tmp_path):
    def picker():
        parts = app.build(tmp_path).get_config_file()["components"]
        return next(part["props"] for part in parts if part["props"].get("elem_id") == "picker")

    save_checkpoint(tmp_path / "a.safetensors", tiny_checkpoint())
    assert not picker()["visible"]
    save_checkpoint(tmp_path / "b.safetensors", tiny_checkpoint(CIFAR, []))
    assert picker()["visible"] and len(picker()["choices"]) == 2


# ---- for programs


@pytest.fixture(scope="module")
def client(server, tmp_path_factory):
    gradio_client = pytest.importorskip("gradio_client")
    return gradio_client.Client(server.url, verbose=False, download_files=tmp_path_factory.mktemp("results"))


ARGUMENTS = dict(
    subject="apple", style="noto", strength=0.6, steps=5, guidance=2, seed=7, eta=0, colour=True, model=""
)


def test_every_action_is_an_endpoint_with_its_parameters(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == [
        "/generate", "/variations", "/animation", "/colour_in", "/add_noise", "/labels"
    ]  # fmt: skip
    for endpoint in endpoints.values():
        assert endpoint["description"]
        names = [parameter["parameter_name"] for parameter in endpoint["parameters"]]
        assert set(names) <= set(app.PARAMETERS)
        assert all(parameter["parameter_has_default"] for parameter in endpoint["parameters"])
    names = [parameter["parameter_name"] for parameter in endpoints["/generate"]["parameters"]]
    assert names == [name for name in app.PARAMETERS if name != "count"]


@pytest.fixture(scope="module")
def apple(tmp_path_factory):
    from gradio_client import handle_file

    path = tmp_path_factory.mktemp("apple") / "apple.png"
    apple_drawing().save(path)
    return handle_file(path)


def test_a_program_sees_every_step(client, apple):
    job = client.submit(picture=apple, **ARGUMENTS, api_name="/generate")
    sizes = [Image.open(picture).size for picture in job]
    assert job.exception() is None
    assert sizes[-1] == (512, 512) and set(sizes[:-1]) <= {(16, 16)}


def test_a_program_can_cancel(client, server, apple):
    server.delay = 0.2
    try:
        job = client.submit(picture=apple, **{**ARGUMENTS, "steps": 50}, api_name="/generate")
        while not job.outputs():
            time.sleep(0.02)
        job.cancel()
        for _ in range(200):
            if job.done():
                break
            time.sleep(0.05)
        assert job.done() and len(job.outputs()) < 25
    finally:
        server.delay = 0.0


def test_what_a_program_keeps_is_kept(client, apple, tmp_path):
    from gradio_client import handle_file

    half_mask().save(tmp_path / "mask.png")
    keep = handle_file(tmp_path / "mask.png")
    result = Image.open(client.predict(picture=apple, keep=keep, **ARGUMENTS, api_name="/generate"))
    assert result.crop((0, 0, 256, 512)).tobytes() == apple_drawing().crop((0, 0, 256, 512)).tobytes()


def test_the_other_endpoints(client, apple):
    pictures = client.predict(picture=apple, count=3, **ARGUMENTS, api_name="/variations")
    assert len({Image.open(picture["image"]).tobytes() for picture in pictures}) == 3
    gif = Image.open(client.predict(picture=apple, **ARGUMENTS, api_name="/animation"))
    assert gif.format == "GIF" and gif.n_frames == 4
    coloured = client.predict(picture=apple, subject="apple", api_name="/colour_in")
    assert Image.open(coloured).size == (512, 512)
    noisy = [
        Image.open(client.predict(picture=apple, strength=s, api_name="/add_noise")).tobytes()
        for s in (0.2, 0.9)
    ]
    assert noisy[0] != noisy[1]
    known = client.predict(api_name="/labels")["tiny"]
    assert known["labels"]["style"] == ["photo", "noto", "fluent-3d"] and ["pear", "photo"] in known["pairs"]
    for bad, sentence in (({"count": 30}, "1 to 9"), ({"subject": "aple"}, "apple")):
        with pytest.raises(Exception, match=sentence):
            client.predict(picture=apple, **{**ARGUMENTS, **bad}, api_name="/variations")
    with pytest.raises(Exception, match="needs a drawing"):
        client.predict(api_name="/add_noise")


def test_assistants_get_the_same_as_tools(server):
    pytest.importorskip("mcp")
    import asyncio

    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def talk():
        async with streamablehttp_client(server.url + "gradio_api/mcp/") as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                tools = {tool.name for tool in (await session.list_tools()).tools}
                return tools, await session.call_tool("generate", {"subject": "apple", "steps": 5})

    tools, result = asyncio.run(talk())
    assert tools == {"generate", "variations", "animation", "colour_in", "add_noise", "labels"}
    assert not result.isError and any(part.type == "image" for part in result.content)


def test_a_program_gets_its_drawing_painted(client, tmp_path):
    from gradio_client import handle_file

    path = tmp_path / "apple.png"
    apple_drawing().save(path)
    results = [client.predict(picture=handle_file(path), **ARGUMENTS, api_name="/generate") for _ in range(2)]
    first, second = (Image.open(result) for result in results)
    assert first.size == (512, 512)
    assert first.tobytes() == second.tobytes(), "same seed"


def test_a_program_gets_a_sentence_for_a_bad_request(client, tmp_path):
    from gradio_client import handle_file

    bad = [({"subject": "aple"}, "apple"), ({"model": "x"}, "tiny"), ({"steps": 5000}, "5000")]
    for change, sentence in bad:
        with pytest.raises(Exception, match=sentence):
            client.predict(picture=None, **{**ARGUMENTS, **change}, api_name="/generate")
    path = tmp_path / "no.png"
    path.write_bytes(b"no picture")
    with pytest.raises(Exception, match="not a picture"):
        client.predict(picture=handle_file(path), **ARGUMENTS, api_name="/generate")
