"""The endpoints for programs and the tools for assistants, as such a program meets them."""

from __future__ import annotations

import time

import pytest
from PIL import Image

pytest.importorskip("gradio")

from conftest import apple_drawing, half_mask


@pytest.fixture(scope="module")
def client(server, tmp_path_factory):
    gradio_client = pytest.importorskip("gradio_client")
    return gradio_client.Client(server.url, verbose=False, download_files=tmp_path_factory.mktemp("results"))


PARAMETERS = (
    "picture subject style strength steps guidance seed eta colour model keep count temperature solver"
    " steering left top right bottom resample jump low_pass"
).split()
ARGUMENTS = dict(
    subject="apple", style="noto", strength=0.6, steps=5, guidance=2, seed=7, eta=0, colour=True, model=""
)


def test_every_action_is_an_endpoint_with_its_parameters(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == [
        "/generate", "/variations", "/animation", "/fill", "/colour_in", "/add_noise", "/labels"
    ]  # fmt: skip
    for endpoint in endpoints.values():
        assert endpoint["description"]
        names = [parameter["parameter_name"] for parameter in endpoint["parameters"]]
        assert names == [name for name in PARAMETERS if name in names]
        assert all(parameter["parameter_has_default"] for parameter in endpoint["parameters"])
    names = [parameter["parameter_name"] for parameter in endpoints["/generate"]["parameters"]]
    assert names == [name for name in PARAMETERS[:15] if name != "count"]


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
    from concurrent.futures import ThreadPoolExecutor

    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    nothing = {"picture": None, "keep": None, "seed": None, "style": None}  # some name every argument

    async def talk():
        async with streamablehttp_client(server.url + "gradio_api/mcp/") as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                tools = {tool.name for tool in (await session.list_tools()).tools}
                return tools, await session.call_tool("generate", {**nothing, "subject": "apple", "steps": 5})

    with ThreadPoolExecutor() as pool:  # an event loop of its own: Playwright may have one in this thread
        tools, result = pool.submit(asyncio.run, talk()).result()
    assert tools == {"generate", "variations", "animation", "fill", "colour_in", "add_noise", "labels"}
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
