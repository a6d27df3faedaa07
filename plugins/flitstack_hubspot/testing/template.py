"""The mapping template by which the simulated source moves into the account."""

from __future__ import annotations

from flitstack.testing.memory_source import template_to

SCHEMA = """\
schema:
{% for of in ["company", "contact", "meeting", "note"] %}
  - {object: field_group, of: {{ of }}, name: moved, label: Moved}
  - {object: field, of: {{ of }}, name: source_system_id, type: string, key: true, priority: 0, group: moved}
{% endfor %}
{% if facts.labels %}
  - {object: field, of: contact, name: labels, type: set, options: {{ facts.labels }}, priority: 2, group: moved}
{% endif %}
{% if facts.born %}
  - {object: field, of: contact, name: born, type: date, priority: 3, group: moved}
{% endif %}
{% if facts.scores %}
  - {object: field, of: contact, name: score, type: number, priority: 3, group: moved}
{% endif %}
{% if facts.since %}
  - {object: field, of: contact, name: since, type: datetime, priority: 3, group: moved}
{% endif %}
  - {object: field, of: meeting, name: kind, type: enum, options: [check, call], priority: 3, group: moved}
  - {object: label, of: company, to: contact, name: Main, inverse: Main of}
  - {object: label, of: company, to: company, name: Partner, inverse: Partner of}
  - {object: label, of: contact, to: contact, name: Boss, inverse: Boss of}
  - {object: label, of: contact, to: company, name: Company, inverse: Staff}
"""
ENTRIES = """\
entries:
  - entry: companies
    object: company
    from: companies
    as: company
    reject:
      missing_name: {when: company.name is none, reason: A company has no name., hint: Give it one., field: name}
    links:
      Main: {object: contact, stream: contacts, id: company.main_id}
      Partner: {object: company, stream: companies, id: company.partner_id}
    fields: {name: company.name}
  - entry: contacts
    object: contact
    from: contacts
    as: contact
    skip: {inactive: contact.status == 'inactive'}
    reject:
      missing_name: {when: contact.name is none, reason: A contact has no name., hint: Give it one., field: name}
{% if facts.labels %}
    collect:
      labels: {from: labels, as: label, by: contact_id, each: label.label, order: [label.label]}
{% endif %}
    links:
      hubspot_owner_id: {object: user, stream: staff, id: contact.staff_id, fallback: true}
      Company: {object: company, stream: companies, id: contact.company_id}
      Boss: {object: contact, stream: contacts, id: contact.boss_id}
    fields:
      lastname: contact.name
      phone: contact.phone
{% if facts.born %}
      born: contact.born
{% endif %}
{% if facts.scores %}
      score: contact.score
{% endif %}
{% if facts.since %}
      since: contact.since
{% endif %}
{% if facts.labels %}
      labels: unique(labels)
{% endif %}
  - entry: visits
    object: meeting
    from: visits
    as: visit
    links:
      contact: {object: contact, stream: contacts, id: visit.contact_id, required: true}
    fields: {hs_meeting_title: visit.kind, kind: visit.kind, hs_meeting_body: visit.note}
  - entry: rounds
    object: note
    from: tasks
    as: task
    group: [task.contact_id, task.day]
    key: join_present('/', task.contact_id, task.day)
    links:
      contact: {object: contact, stream: contacts, id: task.contact_id, required: true}
    fields: {hs_note_body: "html_text(lines(group | map(attribute='what') | list))"}
  - entry: memos
    object: file
    from: memos
    as: memo
    links:
      contact: {object: contact, stream: contacts, id: memo.contact_id, required: true}
    fields: {name: memo.name, size: memo.size, path: memo.path}
"""
TEMPLATE = template_to("hubspot", SCHEMA, ENTRIES)
