"""Files, v1: Pipedrive API `/files`, and the files of one person, organization or deal."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING
from urllib.parse import quote

from flitstack_pipedrive.sandbox.answers import Answer, data_v1, refused_v1
from flitstack_pipedrive.sandbox.forms_v1 import Read, existing, existing_lead, nothing, read_body
from flitstack_pipedrive.sandbox.paging import page_v1, rows_v1
from flitstack_pipedrive.sandbox.texts import v1_time

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call, Handler
    from flitstack_pipedrive.sandbox.state import Row

LARGEST_PAGE = 100
MISSING = "File not found"
_IMAGES = frozenset({"jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff"})
_SORTS = {name: name for name in ("id", "user_id", "deal_id", "person_id", "org_id", "add_time", "update_time")}
_COLUMN = {"person": "person_id", "organization": "org_id", "deal": "deal_id"}
_LINKS: dict[str, Read] = {
    "deal_id": existing("deal"),
    "person_id": existing("person"),
    "org_id": existing("organization"),
    "activity_id": existing("activity"),
    "lead_id": existing_lead,
    "product_id": nothing,
    "project_id": nothing,
}


def list_files(call: Call) -> Answer:
    """Return a page of all files; there are no filters, and a page has at most 100."""
    return page_v1(*rows_v1(call, "file", [("deleted = 0", ())], _SORTS, LARGEST_PAGE))


def files_of(table: str) -> Handler:
    """Return the handler of a page of files that hang on one record."""
    column = _COLUMN[table]

    def handler(call: Call) -> Answer:
        row = call.row(table, call.number())
        wheres = [("deleted = 0", ()), (f"{column} = ?", (row.id,))]
        sorts = {"id": "id", "update_time": "update_time"}
        docs, start, limit, more = rows_v1(call, "file", wheres, sorts, LARGEST_PAGE)
        shown = [{key: value for key, value in doc.items() if key != "project_id"} for doc in docs]
        return page_v1(shown, start, limit, more)

    return handler


def get_file(call: Call) -> Answer:
    """Return one file's record."""
    return data_v1(call.row("file", call.number(), MISSING).doc)


def upload_file(call: Call) -> Answer:
    """Keep one file; uploader and time cannot be set."""
    links = read_body(call.form, _LINKS, call.account)
    if call.upload is None:
        raise refused_v1({"file": "The parameter is required"})
    name, content = call.upload
    stem, suffix = PurePath(name).stem, PurePath(name).suffix
    kind = suffix[1:].lower()
    doc: Doc = {
        "user_id": call.user.id,
        **dict.fromkeys(_LINKS),
        **links,
        "log_id": None,
        "add_time": None,
        "update_time": None,
        "file_name": "",
        "file_type": "img" if kind in _IMAGES else kind or "file",
        "file_size": len(content),
        "active_flag": True,
        "inline_flag": False,
        "remote_location": "s3",
        "remote_id": "",
        "cid": "",
        "s3_bucket": "",
        "mail_message_id": "",
        "mail_template_id": "",
        "url": "",
        "name": name,
        "description": "",
    }
    row = call.account.new_row("file", doc)
    row.doc["add_time"] = row.doc["update_time"] = v1_time(row.updated)
    row.doc["file_name"] = row.doc["remote_id"] = f"{stem}_{call.account.key('file', row.id)}{suffix}"
    row.doc["url"] = f"http://{call.host}/api/v1/files/{row.id}/download"
    with call.store.transaction():
        call.store.put("file", row)
        call.store.put_blob(row.id, content)
    return data_v1(row.doc)


def update_file(call: Call) -> Answer:
    """Change a file's name or description, which come as a form."""
    row = call.live_row("file", call.number(), MISSING)
    unknown = set(call.form) - {"name", "description"}
    if unknown or call.body is not None or not call.form:
        raise refused_v1({min(unknown, default="name"): "Send a form with 'name' or 'description'"})
    row.doc |= call.form
    _save(call, row)
    return data_v1(row.doc)


def delete_file(call: Call) -> Answer:
    """Delete a file."""
    row = call.live_row("file", call.number(), MISSING)
    row.deleted, row.doc["active_flag"] = True, False
    _save(call, row)
    return data_v1({"id": row.id})


def download_file(call: Call) -> Answer:
    """Return a file's bytes."""
    row = call.live_row("file", call.number(), MISSING)
    disposition = f"attachment; filename*=UTF-8''{quote(row.doc['name'])}"
    headers = {"content-disposition": disposition}
    return Answer(call.store.blob(row.id), content_type="application/octet-stream", headers=headers)


def _save(call: Call, row: Row) -> None:
    row.updated = call.account.now()
    row.doc["update_time"] = v1_time(row.updated)
    with call.store.transaction():
        call.store.put("file", row)
