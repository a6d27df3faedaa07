// Drives a sandbox with Pipedrive's official Node client: creates, reads, lists, changes, uploads and deletes one of
// every object, and compares every field that comes back with what was sent.
//
//   node scenario.js URL TOKEN
//
// Prints one JSON object: `calls` (name of each call that was made) and `problems` (calls that failed, fields that did
// not come back). Exit code 0 when there are no problems.
import pipedrive from "pipedrive";

const { v1, v2 } = pipedrive;
const [url, token] = process.argv.slice(2);
const on2 = new v2.Configuration({ apiKey: token, basePath: `${url}/api/v2` });
const on1 = new v1.Configuration({ apiKey: token, basePath: `${url}/api/v1` });
const calls = [];
const problems = [];

// The client rejects with the answer's bare body, so there is no status to tell.
async function call(api, name, parameters) {
  const label = `${api.constructor.name}.${name}`;
  calls.push(label);
  try {
    const body = await api[name](parameters);
    if (body instanceof Object && body.success === false) problems.push(`${label}: success is false`);
    return body;
  } catch (error) {
    problems.push(`${label}: ${JSON.stringify(error.message ?? error)}`);
    return {};
  }
}

// Names every place where what came back is not what was sent; what the server adds is its own affair.
function differences(sent, got, path) {
  if (Array.isArray(sent)) {
    if (!Array.isArray(got) || got.length !== sent.length) return [`${path}: ${JSON.stringify(got)}`];
    return sent.flatMap((item, place) => differences(item, got[place], `${path}[${place}]`));
  }
  if (sent && typeof sent === "object") {
    if (!got || typeof got !== "object") return [`${path}: ${JSON.stringify(got)}`];
    return Object.entries(sent).flatMap(([key, value]) => differences(value, got[key], `${path}.${key}`));
  }
  return sent === got ? [] : [`${path}: sent ${JSON.stringify(sent)}, got ${JSON.stringify(got)}`];
}

function compare(label, sent, got) {
  problems.push(...differences(sent, got, label));
}

// Follows the cursor page by page, or the offset in version 1, and returns all records.
async function all(api, name, parameters, version = 2) {
  const records = [];
  let place = {};
  for (let pages = 0; pages < 1000; pages += 1) {
    const page = await call(api, name, { ...parameters, limit: 2, ...place });
    records.push(...(page.data ?? []));
    const more = page.additional_data ?? {};
    if (version === 2) {
      if (!more.next_cursor) return records;
      place = { cursor: more.next_cursor };
    } else {
      const paging = more.pagination ?? more;
      if (!paging.more_items_in_collection) return records;
      place = { start: paging.next_start ?? paging.start + paging.limit };
    }
  }
  problems.push(`${name}: the list does not end`);
  return records;
}

function expectListed(label, records, ids) {
  const listed = records.map((record) => record.id);
  if (new Set(listed).size !== listed.length) problems.push(`${label}: a record was listed twice`);
  ids.filter((id) => !listed.includes(id)).forEach((id) => problems.push(`${label}: ${id} is not listed`));
}

// Creates three, reads one, lists all by cursor, changes one and reads it again; returns the first one's id.
async function lifeOf(api, noun, bodies, change, { body = `Add${noun}Request`, changed = `Update${noun}Request`, plural = `${noun}s` } = {}) {
  const ids = [];
  for (const sent of bodies) {
    const made = (await call(api, `add${noun}`, { [body]: sent })).data ?? {};
    compare(`add${noun}`, sent, made);
    ids.push(made.id);
  }
  const read = (await call(api, `get${noun}`, { id: ids[0] })).data;
  compare(`get${noun}`, bodies[0], read);
  expectListed(`get${plural}`, await all(api, `get${plural}`, {}), ids);
  compare(`update${noun}`, change, (await call(api, `update${noun}`, { id: ids[0], [changed]: change })).data);
  compare(`get${noun} after the change`, { ...bodies[0], ...change }, (await call(api, `get${noun}`, { id: ids[0] })).data);
  return ids;
}

const TYPES = ["varchar", "varchar_auto", "text", "double", "monetary", "date", "daterange", "time", "timerange", "enum", "set", "phone", "address", "user", "org", "people"];

async function fieldsOf(noun, Api) {
  const api = new Api(on2);
  const codes = {};
  const options = {};
  for (const type of TYPES) {
    const sent = { field_name: `${noun} ${type}`, field_type: type };
    if (["enum", "set"].includes(type)) sent.options = [{ label: "First" }, { label: "Second" }];
    const made = (await call(api, `add${noun}Field`, { [`Add${noun}FieldRequest`]: sent })).data ?? {};
    compare(`add${noun}Field`, sent, made);
    codes[type] = made.field_code;
    options[type] = (made.options ?? []).map((option) => option.id);
  }
  compare(`get${noun}Field`, { field_name: `${noun} enum` }, (await call(api, `get${noun}Field`, { field_code: codes.enum })).data);
  const listed = (await all(api, `get${noun}Fields`, {})).map((field) => field.field_code);
  Object.values(codes).filter((code) => !listed.includes(code)).forEach((code) => problems.push(`get${noun}Fields: ${code} is not listed`));
  const renamed = { field_name: `${noun} text, renamed` };
  compare(`update${noun}Field`, renamed, (await call(api, `update${noun}Field`, { field_code: codes.text, [`Update${noun}FieldRequest`]: renamed })).data);
  // In the client the options of every object are named after deals.
  const added = (await call(api, `add${noun}FieldOptions`, { field_code: codes.enum, AddDealFieldOptionsRequestInner: [{ label: "Third" }] })).data ?? [];
  compare(`add${noun}FieldOptions`, [{ label: "Third" }], added);
  const third = added[0]?.id;
  const relabelled = (await call(api, `update${noun}FieldOptions`, { field_code: codes.enum, UpdateDealFieldOptionsRequestInner: [{ id: third, label: "Last" }] })).data;
  compare(`update${noun}FieldOptions`, [{ id: third, label: "Last" }], relabelled);
  await call(api, `delete${noun}FieldOptions`, { field_code: codes.enum, DeleteDealFieldOptionsRequestInner: [{ id: third }] });
  return { api, codes, options };
}

function customs({ codes, options }, user, org, person) {
  const values = {
    varchar: "dental:patients:1", varchar_auto: "auto", text: "Line one\nLine two", double: 12.5,
    monetary: { value: 99.95, currency: "USD" }, date: "1984-02-29",
    daterange: { value: "2026-01-01", until: "2026-01-31" },
    time: { value: "09:30:00", timezone_name: "Europe/Berlin" },
    timerange: { value: "09:30:00", until: "10:15:00", timezone_name: "Europe/Berlin" },
    enum: options.enum[1], set: options.set, phone: "(555) 555-0100",
    address: { value: "12 Mill Street, Springfield, IL 62701" }, user, org, people: person,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined).map(([type, value]) => [codes[type], value]));
}

async function main() {
  const users = new v1.UsersApi(on1);
  const me = (await call(users, "getCurrentUser")).data;
  await call(users, "getUsers");
  await call(users, "getUser", { id: me.id });
  await call(new v1.CurrenciesApi(on1), "getCurrencies", {});
  await call(new v1.WebhooksApi(on1), "getWebhooks");
  const activityFields = new v2.ActivityFieldsApi(on2);
  await all(activityFields, "getActivityFields", {});
  await call(activityFields, "getActivityField", { field_code: "subject" });

  const personFields = await fieldsOf("Person", v2.PersonFieldsApi);
  const organizationFields = await fieldsOf("Organization", v2.OrganizationFieldsApi);
  const dealFields = await fieldsOf("Deal", v2.DealFieldsApi);

  const pipelines = new v2.PipelinesApi(on2);
  const [pipeline, ...otherPipelines] = await lifeOf(pipelines, "Pipeline",
    [{ name: "Treatment Plans", is_deal_probability_enabled: true }, { name: "Second" }, { name: "Third" }],
    { name: "Treatment plans" });
  const stages = new v2.StagesApi(on2);
  const stageIds = await lifeOf(stages, "Stage",
    ["Proposed", "Accepted", "Completed"].map((name) => ({ name, pipeline_id: pipeline, deal_probability: 60, is_deal_rot_enabled: true, days_to_rotten: 30 })),
    { name: "Suggested" });

  const types = new v1.ActivityTypesApi(on1);
  const type = (await call(types, "addActivityType", { AddActivityTypeRequest: { name: "Recall", icon_key: "calendar", color: "A1B2C3" } })).data ?? {};
  compare("addActivityType", { name: "Recall", icon_key: "calendar", color: "A1B2C3" }, type);
  compare("updateActivityType", { name: "Recall visit" }, (await call(types, "updateActivityType", { id: type.id, UpdateActivityTypeRequest: { name: "Recall visit" } })).data);
  expectListed("getActivityTypes", (await call(types, "getActivityTypes")).data ?? [], [type.id]);

  const organizations = new v2.OrganizationsApi(on2);
  const organizationIds = await lifeOf(organizations, "Organization", [
    { name: "Northgate Orthodontics", owner_id: me.id, add_time: "2020-05-04T08:00:00Z", visible_to: 3, address: { value: "12 Mill Street", locality: "Springfield", postal_code: "62701" }, custom_fields: customs(organizationFields, me.id) },
    { name: "Second" }, { name: "Third" },
  ], { name: "Northgate" });
  const [organization] = organizationIds;

  const persons = new v2.PersonsApi(on2);
  const personIds = await lifeOf(persons, "Person", [
    { name: "Robin Example", owner_id: me.id, org_id: organization, add_time: "2019-03-01T10:00:00Z", visible_to: 3,
      emails: [{ value: "robin@mail.example", primary: true, label: "home" }], phones: [{ value: "(555) 555-0101", primary: true, label: "mobile" }, { value: "(555) 555-0102", primary: false, label: "work" }],
      custom_fields: customs(personFields, me.id, organization) },
    { name: "Second" }, { name: "Third" },
  ], { name: "Robin Other" });
  const [person] = personIds;
  await call(persons, "updatePerson", { id: person, UpdatePersonRequest: { marketing_status: "subscribed" } });
  const consent = (await call(persons, "getPerson", { id: person, include_fields: "marketing_status" })).data ?? {};
  compare("getPerson with marketing_status", { marketing_status: "subscribed" }, consent); // shown on request only

  const deals = new v2.DealsApi(on2);
  const dealIds = await lifeOf(deals, "Deal", [
    { title: "Crown", owner_id: me.id, person_id: person, org_id: organization, pipeline_id: pipeline, stage_id: stageIds[0], value: 1250.5, currency: "USD", probability: 40, visible_to: 3, expected_close_date: "2026-09-30", custom_fields: customs(dealFields, me.id, organization, person) },
    { title: "Won", stage_id: stageIds[2], status: "won", won_time: "2025-06-01T12:00:00Z" },
    { title: "Lost", stage_id: stageIds[1], status: "lost", lost_time: "2025-06-02T12:00:00Z", lost_reason: "Went elsewhere" },
  ], { value: 1300, stage_id: stageIds[1] });
  const [deal] = dealIds;
  const archived = (await call(deals, "addDeal", { AddDealRequest: { title: "Old", is_archived: true } })).data ?? {};
  expectListed("getArchivedDeals", await all(deals, "getArchivedDeals", {}), [archived.id]);

  const leads = new v1.LeadsApi(on1);
  const leadBody = { title: "Asked about implants", owner_id: me.id, person_id: person, organization_id: organization, value: { amount: 500, currency: "USD" }, expected_close_date: "2026-10-01", visible_to: "3", was_seen: true };
  const lead = (await call(leads, "addLead", { AddLeadRequest: { ...leadBody, [dealFields.codes.varchar]: "lead:1" } })).data ?? {};
  compare("addLead", { ...leadBody, [dealFields.codes.varchar]: "lead:1" }, lead);
  compare("getLead", leadBody, (await call(leads, "getLead", { id: lead.id })).data);
  compare("updateLead", { title: "Asked again" }, (await call(leads, "updateLead", { id: lead.id, UpdateLeadRequest: { title: "Asked again" } })).data);
  expectListed("getLeads", await all(leads, "getLeads", {}, 1), [lead.id]);
  await call(leads, "getArchivedLeads", { limit: 2 });

  const activities = new v2.ActivitiesApi(on2);
  const activityIds = await lifeOf(activities, "Activity", [
    { subject: "Cleaning", type: type.key_string, owner_id: me.id, deal_id: deal, org_id: organization, due_date: "2026-03-02", due_time: "09:30:00", duration: "00:45:00", busy: true, done: true,
      location: { value: "12 Mill Street, Springfield" }, participants: [{ person_id: person, primary: true }, { person_id: personIds[1], primary: false }], public_description: "Seen by all", note: "<p>Two X-rays</p>" },
    { subject: "Call back", type: "call" }, { subject: "Follow up", lead_id: lead.id },
  ], { done: false }, { changed: "AddActivityRequest", plural: "Activities" });

  const notes = new v1.NotesApi(on1);
  const noteIds = [];
  for (const links of [{ person_id: person, pinned_to_person_flag: 1 }, { deal_id: deal }, { org_id: organization }, { lead_id: lead.id }]) {
    const sent = { content: "<b>Prefers</b> mornings", user_id: me.id, add_time: "2021-02-03 04:05:06", ...links };
    const made = (await call(notes, "addNote", { AddNoteRequest: sent })).data ?? {};
    compare("addNote", { ...sent, ...(sent.pinned_to_person_flag ? { pinned_to_person_flag: true } : {}) }, made);
    noteIds.push(made.id);
  }
  compare("getNote", { content: "<b>Prefers</b> mornings", person_id: person }, (await call(notes, "getNote", { id: noteIds[0] })).data);
  compare("updateNote", { content: "Prefers evenings" }, (await call(notes, "updateNote", { id: noteIds[0], NoteRequest: { content: "Prefers evenings" } })).data);
  expectListed("getNotes", await all(notes, "getNotes", {}, 1), noteIds);

  const files = new v1.FilesApi(on1);
  const content = "consent given, with an ümlaut\n";
  const fileIds = [];
  for (const links of [{ person_id: person }, { deal_id: deal }, { activity_id: activityIds[0] }]) {
    const made = (await call(files, "addFile", { file: new File([content], "consent form.txt", { type: "text/plain" }), ...links })).data ?? {};
    compare("addFile", { name: "consent form.txt", file_size: Buffer.byteLength(content), ...links }, made);
    fileIds.push(made.id);
  }
  compare("getFile", { name: "consent form.txt" }, (await call(files, "getFile", { id: fileIds[0] })).data);
  compare("updateFile", { name: "consent.txt", description: "signed" }, (await call(files, "updateFile", { id: fileIds[0], name: "consent.txt", description: "signed" })).data);
  const downloaded = await call(files, "downloadFile", { id: fileIds[0] });
  if (String(downloaded) !== content) problems.push("downloadFile: other bytes came back");
  expectListed("getFiles", await all(files, "getFiles", {}, 1), fileIds);
  expectListed("getPersonFiles", await all(new v1.PersonsApi(on1), "getPersonFiles", { id: person }, 1), [fileIds[0]]);

  const products = new v2.ProductsApi(on2);
  const productIds = await lifeOf(products, "Product",
    [{ name: "Crown", code: "D2740", description: "Porcelain", tax: 19, prices: [{ currency: "USD", price: 900 }] }, { name: "Second" }, { name: "Third" }],
    { name: "Porcelain crown" });
  const dealProducts = new v2.DealProductsApi(on2);
  const attached = { product_id: productIds[0], item_price: 900, quantity: 2 };
  const attachment = (await call(dealProducts, "addDealProduct", { id: deal, AddDealProductRequest: attached })).data ?? {};
  compare("addDealProduct", attached, attachment);
  expectListed("getDealProducts", await all(dealProducts, "getDealProducts", { id: deal }), [attachment.id]);
  compare("updateDealProduct", { quantity: 3 }, (await call(dealProducts, "updateDealProduct", { id: deal, product_attachment_id: attachment.id, UpdateDealProductRequest: { quantity: 3 } })).data);
  await call(dealProducts, "deleteDealProduct", { id: deal, product_attachment_id: attachment.id });

  const found = (await call(new v2.ItemSearchApi(on2), "searchItem", { term: "Robin Other", item_types: "person" })).data ?? {};
  if (!(found.items ?? []).some((entry) => entry.item.id === person)) problems.push("searchItem: the person is not found");
  const byName = (await call(persons, "searchPersons", { term: "Robin Other" })).data ?? {};
  if (!(byName.items ?? []).some((entry) => entry.item.id === person)) problems.push("searchPersons: the person is not found");
  await call(new v1.RecentsApi(on1), "getRecents", { since_timestamp: "2020-01-01 00:00:00" });
  compare("addPersonFollower", { user_id: me.id }, (await call(persons, "addPersonFollower", { id: person, AddDealFollowerRequest: { user_id: me.id } })).data);
  await all(persons, "getPersonFollowers", { id: person });
  await call(persons, "deletePersonFollower", { id: person, follower_id: me.id });

  // Commas in `ids` arrive percent-encoded.
  expectListed("getPersons by ids", (await call(persons, "getPersons", { ids: personIds.join(",") })).data ?? [], personIds);

  for (const id of fileIds) await call(files, "deleteFile", { id });
  for (const id of noteIds) await call(notes, "deleteNote", { id });
  for (const id of activityIds) await call(activities, "deleteActivity", { id });
  await call(leads, "deleteLead", { id: lead.id });
  for (const id of [...dealIds, archived.id]) await call(deals, "deleteDeal", { id });
  for (const id of personIds) await call(persons, "deletePerson", { id });
  for (const id of organizationIds) await call(organizations, "deleteOrganization", { id });
  for (const id of productIds) await call(products, "deleteProduct", { id });
  await call(types, "deleteActivityType", { id: type.id });
  for (const id of stageIds) await call(stages, "deleteStage", { id });
  for (const id of [pipeline, ...otherPipelines]) await call(pipelines, "deletePipeline", { id });
  for (const [noun, { api, codes }] of Object.entries({ Person: personFields, Organization: organizationFields, Deal: dealFields })) {
    for (const code of Object.values(codes)) await call(api, `delete${noun}Field`, { field_code: code });
  }
}

await main();
process.stdout.write(`${JSON.stringify({ calls, problems })}\n`);
process.exitCode = problems.length ? 1 : 0;
