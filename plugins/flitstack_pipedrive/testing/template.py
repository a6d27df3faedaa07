"""The mapping template by which the simulated source moves into the account."""

from __future__ import annotations

from flitstack.testing.memory_source import template_to

SCHEMA = """\
schema:
  - {object: field, of: organization, name: Source_System_ID__c, type: varchar, key: true, priority: 0}
  - {object: field, of: organization, name: Main__c, type: people, priority: 1}
  - {object: field, of: organization, name: Partner__c, type: org, priority: 2}
  - {object: field, of: person, name: Source_System_ID__c, type: varchar, key: true, priority: 0}
  - {object: field, of: person, name: Boss__c, type: people, priority: 1}
  - {object: field, of: person, name: Company__c, type: org, priority: 1}
{% if facts.born %}
  - {object: field, of: person, name: Born__c, type: date, priority: 3}
{% endif %}
{% if facts.scores %}
  - {object: field, of: person, name: Score__c, type: double, priority: 3}
{% endif %}
{% if facts.labels %}
  - {object: field, of: person, name: Labels__c, type: set, options: {{ facts.labels }}, priority: 2}
{% endif %}
  - {object: activity_type, name: check}
  - {object: activity_type, name: call}
"""
ENTRIES = """\
entries:
  - entry: companies
    object: organization
    from: companies
    as: company
    reject:
      missing_name: {when: company.name is none, reason: A company has no name., hint: Give it one., field: name}
    links:
      Main__c: {object: person, stream: contacts, id: company.main_id}
      Partner__c: {object: organization, stream: companies, id: company.partner_id}
    fields: {name: company.name}
  - entry: contacts
    object: person
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
      owner_id: {object: user, stream: staff, id: contact.staff_id, fallback: true}
      Company__c: {object: organization, stream: companies, id: contact.company_id}
      Boss__c: {object: person, stream: contacts, id: contact.boss_id}
    fields:
      name: contact.name
      phones: "[{'value': contact.phone, 'label': 'work'}] if contact.phone is not none else []"
{% if facts.born %}
      Born__c: contact.born
{% endif %}
{% if facts.scores %}
      Score__c: contact.score
{% endif %}
{% if facts.since %}
      add_time: contact.since
{% endif %}
{% if facts.labels %}
      Labels__c: unique(labels)
{% endif %}
  - entry: visits
    object: activity
    from: visits
    as: visit
    links:
      person_id: {object: person, stream: contacts, id: visit.contact_id, required: true}
      type: {object: activity_type, name: visit.kind, required: true}
    fields: {subject: "join_present(' ', 'Visit:', visit.kind)", note: visit.note}
  - entry: rounds
    object: note
    from: tasks
    as: task
    group: [task.contact_id, task.day]
    key: join_present('/', task.contact_id, task.day)
    links:
      person_id: {object: person, stream: contacts, id: task.contact_id, required: true}
    fields: {content: "html_text(lines(group | map(attribute='what') | list))"}
  - entry: memos
    object: file
    from: memos
    as: memo
    links:
      person_id: {object: person, stream: contacts, id: memo.contact_id, required: true}
    fields: {name: memo.name, size: memo.size, path: memo.path}
"""
TEMPLATE = template_to("pipedrive", SCHEMA, ENTRIES)
