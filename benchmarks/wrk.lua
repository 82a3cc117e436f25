-- Arguments after `--`: method [body [content type]]. Prints one line of JSON, read by load.py.

function init(args)
  wrk.method = args[1] or "GET"
  wrk.body = args[2]
  if args[3] then
    wrk.headers["Content-Type"] = args[3]
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, '
      .. '"connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
