-- wrk script: sends the requests of a case in turn and looks at every answer. A wrong status or a body that is no right
-- answer to any of the requests is counted. The argument names a file that returns {requests, answers}: answers are bodies with their statuses.

local case, packed, turn = nil, {}, 0
wrong = 0 -- global, or thread:get can't read it
local threads = {}

function setup(thread)
   threads[#threads + 1] = thread
end

function init(arguments)
   case = dofile(arguments[1])
   for number, request in ipairs(case.requests) do
      packed[number] = request.raw or wrk.format(request.method, request.path, request.headers, request.body)
   end
end

function request()
   turn = turn % #packed + 1
   return packed[turn]
end

function response(status, headers, body)
   if body:sub(1, 3) == "\31\139\8" then
      body = body:sub(1, 4) .. "\0\0\0\0" .. body:sub(9) -- the time of the compression
   end
   if case.answers[body] ~= status then
      wrong = wrong + 1
   end
end

function done(summary, latency, requests)
   local total = 0
   for _, thread in ipairs(threads) do
      total = total + thread:get("wrong")
   end
   local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
   io.write(string.format(
      '\nRESULT {"requests": %d, "microseconds": %d, "wrong": %d, "failed": %d, "p50": %d, "p99": %d}\n',
      summary.requests, summary.duration, total, failed, latency:percentile(50), latency:percentile(99)
   ))
end
