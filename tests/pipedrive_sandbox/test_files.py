"""Files: uploads with links, lists without filters, bytes that come back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from flitstack_pipedrive.sandbox.app import Sandbox

FILES = "/v1/files"


def upload(client: httpx.Client, name: str = "x-ray.png", content: bytes = b"\x89PNG", **links: Any) -> httpx.Response:
    data = {key: str(value) for key, value in links.items()}
    return client.post(FILES, files={"file": (name, content)}, data=data)


def test_a_file_comes_back_byte_for_byte(admin: httpx.Client, sandbox: Sandbox, person: int) -> None:
    content = bytes(range(256)) * 1000

    file = upload(admin, "Röntgen 1.png", content, person_id=person).json()["data"]
    answer = admin.get(f"{FILES}/{file['id']}/download")

    assert answer.content == content
    assert (file["name"], file["file_size"], file["file_type"], file["person_id"]) == (
        "Röntgen 1.png",
        256_000,
        "img",
        person,
    )
    assert sandbox.dump()["file"][0]["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_file_hangs_on_what_its_form_says(admin: httpx.Client, person: int) -> None:
    activity = admin.post("/api/v2/activities", json={"subject": "A"}).json()["data"]["id"]
    deal = admin.post("/api/v2/deals", json={"title": "A"}).json()["data"]["id"]
    organization = admin.post("/api/v2/organizations", json={"name": "A"}).json()["data"]["id"]
    lead = admin.post("/v1/leads", json={"title": "A", "person_id": person}).json()["data"]["id"]

    file = upload(admin, person_id=person, activity_id=activity, deal_id=deal, org_id=organization, lead_id=lead)

    number = file.json()["data"]["id"]
    assert file.json()["data"]["activity_id"] == activity
    for path in (f"persons/{person}", f"deals/{deal}", f"organizations/{organization}"):
        assert [found["id"] for found in admin.get(f"/v1/{path}/files").json()["data"]] == [number]


def test_an_upload_needs_a_file_and_links_that_exist(admin: httpx.Client, person: int) -> None:
    assert admin.post(FILES, data={"person_id": str(person)}).status_code == 400
    assert upload(admin, person_id=99).status_code == 400
    assert upload(admin, person_id="x").status_code == 400
    assert upload(admin, add_time="2020-01-01 00:00:00").status_code == 400
    assert (
        admin.post(FILES, content=b"--", headers={"content-type": "multipart/form-data; boundary="}).status_code == 400
    )
    assert admin.get(FILES).json()["data"] is None


def test_pages_hold_at_most_a_hundred_files(admin: httpx.Client, person: int) -> None:
    made = [upload(admin, person_id=person).json()["data"]["id"] for _ in range(3)]

    page = admin.get(f"{FILES}?limit=2&start=1").json()

    assert [file["id"] for file in page["data"]] == made[1:]
    assert page["additional_data"]["pagination"]["more_items_in_collection"] is False
    assert admin.get(f"{FILES}?limit=101").status_code == 400
    assert admin.get(f"/v1/persons/{person}/files?limit=101").status_code == 400
    assert admin.get("/v1/persons/99/files").status_code == 404


def test_name_and_description_are_changed_by_a_form(admin: httpx.Client, person: int) -> None:
    number = upload(admin, person_id=person).json()["data"]["id"]

    changed = admin.put(f"{FILES}/{number}", data={"name": "b.png", "description": "Molar"}).json()["data"]

    assert (changed["name"], changed["description"]) == ("b.png", "Molar")
    assert admin.put(f"{FILES}/{number}", json={"name": "c.png"}).status_code == 400
    assert admin.put(f"{FILES}/{number}", data={"person_id": "1"}).status_code == 400


def test_a_deleted_file_leaves_the_lists(admin: httpx.Client, person: int) -> None:
    number = upload(admin, person_id=person).json()["data"]["id"]

    assert admin.delete(f"{FILES}/{number}").json()["data"] == {"id": number}
    assert admin.get(FILES).json()["data"] is None
    assert admin.get(f"{FILES}/{number}").json()["data"]["active_flag"] is False
    assert admin.get(f"{FILES}/{number}/download").status_code == 404
