"""The page without a browser: what its handlers do, and the endpoint for programs."""

from __future__ import annotations

import base64
import io
import re

import pytest
import torch
from PIL import Image, ImageDraw

gr = pytest.importorskip("gradio")

import app  # noqa: E402
from conftest import apple_drawing, tiny_checkpoint  # noqa: E402
from diffusion import images, save_checkpoint  # noqa: E402

CIFAR = {"class": ["airplane", "cat"]}


@pytest.fixture(scope="module")
def checkpoints():
    return {"tiny": tiny_checkpoint()}


def start(checkpoints, session, picture="", *, strength=0.6, steps=10, seed=7, labels=("apple", "noto")):
    session.ask()
    return app.generate(checkpoints, session, "tiny", picture, strength, steps, 2.0, seed, 0.0, True, *labels)


def drawn() -> dict:
    return {"picture": app.data_url(apple_drawing()), "keep": ""}


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
    assert app.pretty(name) == shown


# ---- what the canvas sends


def mask(size: int = 512) -> Image.Image:
    image = Image.new("RGB", (size, size), "white")
    ImageDraw.Draw(image).rectangle([0, 0, size // 2, size - 1], fill="black")
    return image


def test_the_canvas_sends_a_drawing_and_what_to_keep_of_it():
    picture, keep = app.read_canvas({"picture": app.data_url(apple_drawing()), "keep": app.data_url(mask())})
    assert picture.tobytes() == apple_drawing().tobytes()
    assert keep.getpixel((0, 0)) == (0, 0, 0) and keep.getpixel((511, 0)) == (255, 255, 255)


@pytest.mark.parametrize("value", ["", None, {}, {"picture": "", "keep": ""}, {"picture": None}])
def test_a_blank_canvas_holds_nothing(value):
    assert app.read_canvas(value) == (None, None)


def test_most_drawings_come_without_a_mask():
    picture, keep = app.read_canvas(drawn())
    assert picture.size == (512, 512) and keep is None


SMALL = "data:image/png;base64,"


@pytest.mark.parametrize(
    "value, sentence",
    [
        ("hello", app.BAD_PICTURE),
        (app.data_url(Image.new("RGB", (8, 8))), app.BAD_PICTURE),
        (["", ""], app.BAD_PICTURE),
        (5, app.BAD_PICTURE),
        (False, app.BAD_PICTURE),
        ({"picture": 5}, app.BAD_PICTURE),
        ({"picture": {"url": "x"}}, app.BAD_PICTURE),
        ({"picture": [SMALL]}, app.BAD_PICTURE),
        ({"picture": "file:///etc/passwd"}, app.BAD_PICTURE),
        ({"picture": SMALL}, app.BAD_PICTURE),
        ({"picture": SMALL + "iVBORw0KGgo="}, "not a picture"),
        ({"picture": drawn()["picture"][:2022]}, "damaged"),
        ({"picture": SMALL + "A" * app.MAX_DATA_URL}, app.BIG_PICTURE),
        ({**drawn(), "keep": SMALL + "A" * app.MAX_DATA_URL}, app.BIG_PICTURE),
        ({**drawn(), "keep": "nonsense"}, app.BAD_PICTURE),
        ({**drawn(), "keep": 1}, app.BAD_PICTURE),
        ({**drawn(), "keep": app.data_url(mask(64))}, app.BAD_PICTURE),
        ({"picture": "", "keep": app.data_url(mask())}, app.BAD_PICTURE),
    ],
)
def test_anything_else_from_the_canvas_is_one_sentence(value, sentence):
    with pytest.raises(images.ImageError, match=re.escape(sentence)):
        app.read_canvas(value)


def test_a_picture_too_large_to_decode_is_refused():
    huge = io.BytesIO()
    Image.new("1", (30000, 30000), 1).save(huge, format="PNG")  # a small file of 900 megapixels
    url = SMALL + base64.b64encode(huge.getvalue()).decode()
    with pytest.raises(images.ImageError, match="too large"):
        app.read_canvas({"picture": url, "keep": ""})


# ---- a run


def test_a_run_sends_every_step_and_then_the_result(checkpoints):
    session = app.Session()
    messages = list(start(checkpoints, session, drawn()))
    assert [m["phase"] for m in messages] == ["run"] * 6 + ["done"]  # strength 0.6 of 10 steps
    assert {m["start"] for m in messages} == {1}
    assert messages[2]["say"] == "Step 3 of 6"
    assert decoded(messages[0]["x0"]).size == decoded(messages[0]["x"]).size == (16, 16)
    assert decoded(messages[-1]["picture"]).size == (512, 512)
    assert messages[-1]["name"] == "apple-noto-7"
    assert len(session.frames) == 6


def test_the_seed_decides_the_picture(checkpoints):
    def picture(seed):
        return list(start(checkpoints, app.Session(), drawn(), seed=seed))[-1]["picture"]

    assert picture(1) == picture(1) != picture(2)


def test_a_blank_canvas_is_imagined_from_noise_with_a_hint(checkpoints, monkeypatch):
    hints = []
    monkeypatch.setattr(app.gr, "Info", hints.append)
    white = app.data_url(Image.new("RGB", (512, 512), "white"))
    for canvas in ("", None, {"picture": white, "keep": ""}):
        messages = list(start(checkpoints, app.Session(), canvas))
        assert messages[0]["say"] == "Step 1 of 10", "all steps: strength 1"
        assert messages[-1]["say"].startswith("Pure imagination")
    assert hints == [app.BLANK] * 3


def test_outlines_are_coloured_in_unless_switched_off(checkpoints):
    outline = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(outline).ellipse([8, 8, 56, 56], outline="red", width=4)

    def middle(colour):
        x0 = app.framed(outline, checkpoints["tiny"], {"subject": "apple"}, colour)
        return x0[0, :, 8, 8].tolist()

    assert middle(True) == [1, -1, -1] and middle(False) == [1, 1, 1]


def test_strength_0_says_that_the_drawing_was_kept(checkpoints):
    messages = list(start(checkpoints, app.Session(), drawn(), strength=0))
    assert [m["phase"] for m in messages] == ["run", "done"]
    assert "Strength 0" in messages[-1]["say"]
    assert decoded(messages[-1]["picture"]).getpixel((256, 256))[0] > 200, "the red of the drawing"


@pytest.mark.parametrize(
    "picture, sentence",
    [
        ("hello", app.BAD_PICTURE),
        ("data:text/html;base64,aGVsbG8=", app.BAD_PICTURE),
        ("data:image/png;base64,%%%", app.BAD_PICTURE),
        ("data:image/png;base64,aGVsbG8=", "not a picture"),
        ("data:image/png;base64," + "A" * app.MAX_DATA_URL, app.BIG_PICTURE),
    ],
)
def test_a_bad_picture_is_one_sentence_and_the_result_stays(checkpoints, picture, sentence, monkeypatch):
    warnings = []
    monkeypatch.setattr(app.gr, "Warning", warnings.append)
    session = app.Session(frames=[torch.zeros(1, 3, 16, 16)])
    (message,) = start(checkpoints, session, {"picture": picture, "keep": ""})
    assert message["phase"] == "idle" and sentence in message["say"]
    assert warnings == [message["say"]]
    assert len(session.frames) == 1


def test_an_unknown_label_is_one_sentence(checkpoints, monkeypatch):
    monkeypatch.setattr(app.gr, "Warning", lambda text: None)
    (message,) = start(checkpoints, app.Session(), drawn(), labels=("aple", "noto"))
    assert "apple" in message["say"]


def test_a_surprise_is_no_traceback_on_the_page(checkpoints, monkeypatch):
    monkeypatch.setattr(app, "framed", lambda *_: 1 / 0)
    run = start(checkpoints, app.Session(), drawn())
    assert next(run)["say"] == app.FAILED
    with pytest.raises(gr.Error, match="try again"):
        next(run)


# ---- stop, and a new run while one is going on


def test_stop_keeps_the_last_frame(checkpoints):
    session = app.Session()
    run = start(checkpoints, session, drawn(), strength=1, steps=50)
    frames = [next(run) for _ in range(3)]
    assert app.call_off(session)["phase"] == "idle"
    rest = list(run)
    assert [m["phase"] for m in rest] == ["done"]
    assert rest[0]["say"].startswith("Stopped after 3 of 50 steps")
    assert rest[0]["run"] >= frames[0]["run"], "an older number would be ignored by the page"
    assert len(session.frames) == 3


def test_stop_calls_off_a_run_that_waits_in_the_queue(checkpoints):
    session = app.Session()
    run = start(checkpoints, session, drawn())
    app.call_off(session)
    assert list(run) == []


def test_a_new_run_ends_the_old_one_at_its_next_step(checkpoints):
    session = app.Session()
    old = start(checkpoints, session, drawn(), strength=1, steps=50)
    next(old)
    new = start(checkpoints, session, drawn())
    assert list(old) == []
    assert [m["phase"] for m in new][-1] == "done"


def test_several_clicks_make_one_run(checkpoints):
    session = app.Session()
    runs = [start(checkpoints, session, drawn()) for _ in range(3)]
    assert [len(list(run)) > 0 for run in runs] == [True, False, False]


def test_closing_a_run_closes_the_sampler(checkpoints, monkeypatch):
    closed = []

    def endless(ckpt, image, *_, **__):
        try:
            while True:
                yield app.Step(index=1, total=50, t=0, x=image, x0=image)
        finally:
            closed.append(True)

    monkeypatch.setattr(app, "edit", endless)
    run = start(checkpoints, app.Session(), drawn())
    next(run)
    run.close()  # what Gradio does when the tab is closed
    assert closed


def test_the_gif_has_every_frame(checkpoints):
    session = app.Session()
    list(start(checkpoints, session, drawn()))
    gif = decoded(app.make_gif(session)["gif"])
    assert (gif.format, gif.n_frames, gif.size) == ("GIF", 6, (app.GIF_SIDE, app.GIF_SIDE))
    with pytest.raises(gr.Error):
        app.make_gif(app.Session())


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


def test_generate_is_the_only_public_endpoint(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == ["/generate"]
    names = [parameter["parameter_name"] for parameter in endpoints["/generate"]["parameters"]]
    assert names == [
        "picture",
        "subject",
        "style",
        "strength",
        "steps",
        "guidance",
        "seed",
        "eta",
        "colour",
        "model",
    ]


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
