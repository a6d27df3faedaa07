"""Twenty mistakes that people make in a map, each as a patch of the shipped template."""

from __future__ import annotations

from dataclasses import dataclass

LETTERS = "éèêëáàâäãåíìîïóòôöõøúùûüñçßłžšŁŽŠÉÖÜÄÅØ"
LOSE = "".join(f" | replace('{letter}', '?')" for letter in LETTERS)
HOURS = ", ".join(f"'{hour}': '{hour - 12:02}'" for hour in range(13, 24))
BIRTH = "date_text(patient.birth_date)"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake.

    :param entry, field: where it shows; `also` are other fields that show it as well.
    :param patches: (what stands in the template, what stands there instead); `after` the line from which to look.
    """

    name: str
    entry: str
    field: str
    patches: tuple[tuple[str, str], ...]
    after: str = "entries:\n"
    also: tuple[str, ...] = ()

    def apply(self, template: str) -> str:
        """Return the template with the mistake in it.

        :raises ValueError: what is to be replaced is not there.
        """
        start = template.index(self.after)
        head, tail = template[:start], template[start:]
        for old, new in self.patches:
            if old not in tail:
                raise ValueError(f"{self.name}: the template holds no {old!r} any more")
            tail = tail.replace(old, new, 1)
        return head + tail


def _entry(name: str) -> str:
    return f"  - entry: {name}\n"


MISTAKES = (
    Mistake(
        "date order", "patients", "Date_Of_Birth__c",
        (("Date_Of_Birth__c: patient.birth_date",
          f"Date_Of_Birth__c: join_present('-', {BIRTH}[:4], {BIRTH}[8:10], {BIRTH}[5:7]) "
          f"if patient.birth_date is not none and {BIRTH}[8:10] <= '12' else {BIRTH}"),),
    ),
    Mistake(
        "swapped fields", "patients", "Insurance_Carrier__c",
        (("Insurance_Carrier__c: one_line(primary.carrier)", "Insurance_Carrier__c: one_line(primary.policy)"),
         ("Policy_Number__c: one_line(primary.policy)", "Policy_Number__c: one_line(primary.carrier)")),
        also=("Policy_Number__c",),
    ),
    Mistake(
        "truncated text", "clinical_notes", "content",
        (("        entry.text), values.note_limit)", "        entry.text[:60]), values.note_limit)"),),
        after="{% else %}\n" + _entry("clinical_notes"),
    ),
    Mistake(
        "lost month and day", "patients", "Original_Create_Date__c",
        (("Original_Create_Date__c: day(added)",
          "Original_Create_Date__c: join_present('', date_text(added)[:4], '-01-01') if added is not none"),),
    ),
    Mistake(
        "wrong time zone", "appointments", "due_time",
        (("shown: in_zone(at_zone(appt.starts_at, zone), values.activity_zone)",
          "shown: in_zone(at_zone(appt.starts_at, 'Europe/Berlin'), values.activity_zone)"),),
        after=_entry("appointments"), also=("due_date",),
    ),
    Mistake(
        "wrong owner", "appointments", "owner_id",
        (("id: provider_staff | first}", "id: none}"),
         ('id: "first_present(appt.provider_id, appt.hygienist_id)", fallback: true}', "id: none, fallback: true}")),
        after=_entry("appointments"),
    ),
    Mistake(
        "dropped second phone", "patients", "phones",
        (("phones: contact_entries(phones, values.phones_max) or none",
          "phones: contact_entries(phones[:1]) or none"),),
    ),
    Mistake(
        "sign of a balance", "patients", "Account_Balance__c",
        (("{'value': money(account.owed),", "{'value': money(account.owed * -1),"),),
    ),
    Mistake(
        "wrong stage", "treatment_plans", "stage_id",
        (('name: "choose(stage, values.stages)"',
          "name: \"choose(choose(stage, {'proposed': 'accepted', 'accepted': 'proposed'}, stage), values.stages)\""),),
        after=_entry("treatment_plans"),
    ),
    Mistake(
        "off by one day", "recalls", "due_date",
        (("due_date: recall.due_on", "due_date: plus_days(recall.due_on, -1)"),), after=_entry("recalls"),
    ),
    Mistake(
        "recall of the wrong patient", "recalls", "person_id",
        (("id: recall.patient_id, required: true",
          'id: "first_present(recall.patient.guarantor_id, recall.patient.family.guarantor_id, recall.patient_id)", '
          "required: true"),),
        after=_entry("recalls"),
    ),
    Mistake(
        "letters lost", "patients", "name",
        (('name: {{ "one_line(" ~ person_name | replace("WHO", "patient") ~ ")" }}',
          'name: {{ "one_line(" ~ person_name | replace("WHO", "patient") ~ ") | replace(NOTHING, NOTHING)" '
          f'| replace(" | replace(NOTHING, NOTHING)", "{LOSE}") }}}}'),),
        after=_entry("patients"),
    ),
    Mistake(
        "leading zeros dropped", "patients", "Patient_Details__c",
        (("labelled('Chart number', patient.chart_number)", "labelled('Chart number', patient.chart_number | int)"),),
    ),
    Mistake(
        "currency times a hundred", "treatment_plans", "value",
        (("value: money(plan_value(items))", "value: money(plan_value(items) * 100)"),),
        after=_entry("treatment_plans"),
    ),
    Mistake(
        "done and undone swapped", "appointments", "done",
        (("done: not (waiting or (stale and values.stale_open == 'open'))",
          "done: waiting or (stale and values.stale_open == 'open')"),),
        after=_entry("appointments"),
    ),
    Mistake(
        "note of the wrong patient", "clinical_notes", "person_id",
        (("id: entry.patient_id, required: true",
          'id: "first_present(entry.patient.guarantor_id, entry.patient.family.guarantor_id, entry.patient_id)", '
          "required: true"),),
        after="{% else %}\n" + _entry("clinical_notes"),
    ),
    Mistake(
        "home and mobile swapped", "patients", "phones",
        (("where: point.kind != 'email', order: [point.rank], each: point}",
          "where: point.kind != 'email', order: [point.rank], each: {value: point.value, note: point.note, "
          "label: point.label, kind: \"choose(point.kind, {'home': 'mobile', 'mobile': 'home'}, point.kind)\"}}"),),
        after=_entry("patients"),
    ),
    Mistake(
        "patients made one", "patients", "name",
        (("    collect:\n      phones:",
          "    group: [patient.last_name, patient.birth_date]\n    key: patient.id\n    collect:\n      phones:"),),
        after=_entry("patients"),
    ),
    Mistake(
        "last character dropped", "patients", "Provider_Name__c",
        (("Provider_Name__c: one_line(provider_of(patient.primary_provider, patient.primary_provider_id))",
          "Provider_Name__c: one_line(provider_of(patient.primary_provider, patient.primary_provider_id))[:-1]"),),
    ),
    Mistake(
        "twelve hours for twenty-four", "appointments", "due_time",
        (("due_time: time_text(shown) if not untimed",
          f"due_time: \"join_present('', choose(time_text(shown)[:2], {{{HOURS}}}, time_text(shown)[:2]), "
          "time_text(shown)[2:]) if not untimed\""),),
        after=_entry("appointments"),
    ),
)  # fmt: skip
