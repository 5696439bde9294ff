"""The label service as a GS1-conformant resolver: what is signed can be found, and nothing else leads away."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from labels.catalogue.link_types import VOCABULARY
from labels.pages.linkset import languages
from tests.labels.pages.test_described import kept, product, recall
from tests.labels.serving import client_of, served
from tests.labels.story import GTIN, LOT, Story, make_story

ROOT = "https://id.example.com"


def link(rel: str, href: str, **more: str) -> dict[str, str]:
    """A description's link."""
    return {"rel": rel, "href": href, "title": "A title", **more}


@pytest.fixture(scope="module")
def story(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A product, a lot and an item that are described, and another lot that is recalled."""
    dsn = postgres_server.create_database("gs1_resolver")
    made = make_story(dsn, tmp_path_factory.mktemp("gs1") / "ledger", count=2)
    made.world.operator_says(
        product(
            name="Honey",
            picture=kept(made).sha256,
            links=[
                link("gs1:pip", "https://example.com/en", lang="en"),
                link("gs1:pip", "https://example.com/pt?a=b#c", lang="pt", type="text/html"),
                link("gs1:instructions", "https://example.com/use"),
            ],
        ),
        product(lot=LOT, links=[link("gs1:certificationInfo", "https://example.com/lot")]),
        product(serial=made.link().serial, links=[link("gs1:instructions", "https://example.com/this")]),
        recall(lot="BAD", href="https://example.com/recall"),
    )
    yield made
    made.world.close()
    postgres_server.drop_database("gs1_resolver")


@pytest.fixture(scope="module")
def client(story: Story) -> Iterator[httpx.Client]:
    """A client of a service over it."""
    with client_of(story) as client:
        yield client


def item(story: Story) -> str:
    """A label's path and signature."""
    return f"{story.labels[0].path}?s={story.labels[0].digits}"


def linkset(client: httpx.Client, path: str, **headers: str) -> list[dict[str, Any]]:
    """The contexts of a linkset."""
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/linkset+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in answer.headers["link"]
    contexts: list[dict[str, Any]] = answer.json()["linkset"]
    return contexts


def test_a_redirect_goes_to_the_link_of_the_type_that_is_asked_for(client: httpx.Client, story: Story) -> None:
    """By its compact form or its URI; the item's own before its product's; the product's where that has none."""
    path = f"/01/{GTIN}"
    for asked in ("gs1:instructions", "https%3A%2F%2Fref.gs1.org%2Fvoc%2Finstructions"):
        answer = client.get(f"{path}?linkType={asked}")
        assert (answer.status_code, answer.headers["location"]) == (307, f"https://example.com/use?linkType={asked}")
    answer = client.get(f"{item(story)}&linkType=gs1:instructions")
    assert answer.headers["location"] == "https://example.com/this?linkType=gs1:instructions"
    assert client.get(f"{item(story)}&linkType=gs1:certificationInfo").status_code == 307
    assert client.get(f"{path}/10/{LOT}?linkType=gs1:certificationInfo").status_code == 307
    assert client.get(f"{path}?linkType=gs1:certificationInfo").status_code == 404


@pytest.mark.parametrize(
    ("accepted", "path"),
    [
        ("", "/en"),
        ("pt-BR, en;q=0.5", "/pt"),
        ("en-GB", "/en"),
        ("fr, pt;q=0.1", "/pt"),
        ("fr;q=x, *", "/en"),
        (";", "/en"),
    ],
)
def test_the_language_chooses_among_links_of_a_type(client: httpx.Client, accepted: str, path: str) -> None:
    """The asker's best that there is, and else the first that was described."""
    answer = client.get(f"/01/{GTIN}?linkType=gs1:pip", headers={"accept-language": accepted})
    assert answer.headers["location"].startswith(f"https://example.com{path}?")


def test_a_query_is_handed_on_but_for_the_labels_signature(client: httpx.Client, story: Story) -> None:
    """Before the fragment, after what the link's own query says; who could print a copy of the label gets nothing."""
    answer = client.get(f"{item(story)}&linkType=gs1:pip&17=270630&x=%3Cy%3E", headers={"accept-language": "pt"})
    assert answer.headers["location"] == "https://example.com/pt?a=b&linkType=gs1:pip&17=270630&x=%3Cy%3E#c"
    assert story.labels[0].digits not in answer.headers["location"]


@pytest.mark.parametrize(
    "query",
    [
        "linkType=https://evil.example/", "linkType=//evil.example", "linkType=gs1:nothing", "linkType=",
        "linkType=javascript:alert(1)", "linkType=gs1:pip&linkType=gs1:instructions", "linkType=gs1:pip%0d%0aLocation:%20https://evil.example",
    ],
)  # fmt: skip
def test_nothing_in_a_request_says_where_to_go(client: httpx.Client, query: str) -> None:
    """What is not among the signed links is not found, or a mistake; never a redirect."""
    answer = client.get(f"/01/{GTIN}?{query}")
    assert answer.status_code in (400, 404) and "location" not in answer.headers


def test_a_forged_label_leads_nowhere(client: httpx.Client, story: Story) -> None:
    """Whoever prints its own label of a product does not get that product's links."""
    digits = story.labels[0].digits
    forged = f"{story.labels[0].path}?s={digits[:-1]}{(int(digits[-1]) + 1) % 10}"
    assert client.get(f"{forged}&linkType=gs1:pip").status_code == 404


def test_a_linkset_has_the_links_of_what_is_asked_for_and_of_all_above_it(client: httpx.Client, story: Story) -> None:
    """By its link type or by content negotiation; each link with what it is said of; the page is the default link."""
    contexts = linkset(client, f"{item(story)}&linkType=linkset")
    assert [context["anchor"] for context in contexts] == [
        f"{ROOT}/01/{GTIN}/21/{story.link().serial}", f"{ROOT}/01/{GTIN}/10/{LOT}", f"{ROOT}/01/{GTIN}",
    ]  # fmt: skip
    own, lot, whole = contexts
    assert own[f"{VOCABULARY}defaultLink"] == [{"href": f"{ROOT}{item(story)}", "title": "Honey"}]
    assert own[f"{VOCABULARY}instructions"] == [{"href": "https://example.com/this", "title": "A title"}]
    assert f"{VOCABULARY}certificationInfo" in lot and len(whole[f"{VOCABULARY}pip"]) == 2
    assert whole["description"] == "Honey"
    assert whole[f"{VOCABULARY}pip"][1] == {
        "href": "https://example.com/pt?a=b#c", "title": "A title", "hreflang": ["pt"], "type": "text/html",
    }  # fmt: skip
    assert linkset(client, item(story), accept="application/linkset+json") == contexts
    assert linkset(client, f"{item(story)}&linkType=all") == contexts
    assert sum(f"{VOCABULARY}defaultLink" in context for context in contexts) == 1


def test_a_linkset_says_that_a_lot_is_recalled(client: httpx.Client) -> None:
    """With the recall's link; and the page's address is a link type's of its own."""
    [lot, whole] = linkset(client, f"/01/{GTIN}/10/BAD?linkType=linkset")
    assert lot[f"{VOCABULARY}recallStatus"] == [
        {"href": "https://example.com/recall", "title": "Recalled since 2026-11-26: glass in it"}
    ]
    assert f"{VOCABULARY}traceability" in lot and f"{VOCABULARY}traceability" not in whole
    for rel in ("gs1:defaultLink", "gs1:traceability", "gs1:recallStatus"):
        page = client.get(f"/01/{GTIN}/10/BAD?linkType={rel}")
        assert page.status_code == 200 and "Recalled: do not use" in page.text


def test_what_nobody_knows_has_no_linkset(client: httpx.Client) -> None:
    """404 for a product of which the ledger has heard nothing, 400 for what is no link (2.4.1)."""
    assert client.get("/01/09506000134369?linkType=linkset").status_code == 404
    assert client.get("/01/09506000134353?linkType=linkset").status_code == 400


def test_the_resolver_describes_itself(client: httpx.Client) -> None:
    """At its well-known place (section 3), from anywhere; and a page names its linkset."""
    answer = client.get("/.well-known/gs1resolver")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["resolverRoot"] == ROOT and answer.json()["supportedPrimaryKeys"] == ["00", "01"]
    assert f'</01/{GTIN}?linkType=linkset>; rel="linkset"' in client.get(f"/01/{GTIN}").headers["link"]
    options = client.options(f"/01/{GTIN}")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_a_picture_is_served_by_its_hash_while_a_product_has_it(client: httpx.Client, story: Story) -> None:
    """As the WebP that it is, from here; another hash, or anything else, is not found."""
    path = client.get(f"/01/{GTIN}?format=json").json()["described"]["picture"]
    answer = client.get(path)
    assert answer.content[8:12] == b"WEBP" and answer.headers["content-type"] == "image/webp"
    assert answer.headers["x-content-type-options"] == "nosniff"
    for other in ("0" * 64, "x", path[9:-1], path[9:].upper(), "..%2F..%2Ftrust.json"):
        assert client.get(f"/picture/{other}").status_code == 404


def test_languages_are_read_as_far_as_they_are_any() -> None:
    """RFC 9110, 12.5.4; what is malformed counts for nothing."""
    assert languages("da, en-GB;q=0.8, EN;q=0.9, x;q=0, y;q=z,,") == ["da", "en", "en-gb"]
    assert languages("a," * 100_000) == ["a"] * 250


def test_html_in_a_description_stays_text(own_html: httpx.Client) -> None:
    """In the page, in JSON and in the linkset."""
    text = own_html.get(f"/01/{GTIN}").text
    assert "<script>" not in text and "&lt;script&gt;" in text
    assert (
        json.loads(own_html.get(f"/01/{GTIN}?linkType=linkset").text)["linkset"][0]["description"]
        == "<script>x</script>"
    )


@pytest.fixture
def own_html(postgres_dsn: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """A service over a product with markup for words."""
    evil = "<script>x</script>"
    made = make_story(postgres_dsn, tmp_path / "ledger", count=1)
    href = {**link("gs1:pip", "https://example.com/'onclick='x"), "title": evil}
    made.world.operator_says(product(name=evil, text=evil, links=[href]), recall(advice=evil))
    with served(tmp_path, postgres_dsn) as address, httpx.Client(base_url=address, timeout=20) as client:
        yield client
    made.world.close()
