-- 70 % activity creates, 20 % person creates with custom fields, 10 % reads of one person.
-- Takes SANDBOX_TOKEN, SANDBOX_FIELDS (keys of two text fields, by comma) and SANDBOX_PERSONS (ids 1 to this exist).
local number = 0
local persons = tonumber(os.getenv("SANDBOX_PERSONS"))
local first, second = os.getenv("SANDBOX_FIELDS"):match("(%x+),(%x+)")
local headers = { ["x-api-token"] = os.getenv("SANDBOX_TOKEN"), ["content-type"] = "application/json" }

request = function()
  number = number + 1
  local turn = number % 10
  local person = (number * 7919) % persons + 1
  if turn == 0 then
    return wrk.format("GET", "/api/v2/persons/" .. person, headers)
  end
  if turn == 3 or turn == 7 then
    return wrk.format("POST", "/api/v2/persons", headers, string.format(
      '{"name":"Person %d","emails":[{"value":"p%d@mail.example","primary":true,"label":"home"}],'
      .. '"phones":[{"value":"(555) 555-0100","primary":true,"label":"mobile"}],'
      .. '"custom_fields":{"%s":"dental:patients:%d","%s":"2026-01-31 seen"}}', number, number, first, number, second))
  end
  return wrk.format("POST", "/api/v2/activities", headers, string.format(
    '{"subject":"Visit %d","type":"meeting","due_date":"2026-03-02","due_time":"09:30","duration":"00:45",'
    .. '"done":true,"note":"<p>Cleaning</p>","participants":[{"person_id":%d,"primary":true}]}', number, person))
end

