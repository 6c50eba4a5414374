// The statements that every client of Node.js runs, and the report that it prints. PGHOST, PGPORT,
// PGUSER and PGDATABASE say where the server is.

export const { PGHOST, PGPORT, PGUSER, PGDATABASE, QUERY, ROWS, SLOW, WRONG, EXEC } = process.env;

// text writes a value the same way for every client.
function text(value) {
  if (value === null) return "null";
  if (value instanceof Date) return value.toISOString().replace(".000Z", "Z");
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

// report prints a line of the report.
export function report(step, ...values) {
  console.log(`${step}: ${values.map(text).join(" ")}`);
}

// failure returns what a promise is rejected with.
export function failure(promise) {
  return promise.then(() => new Error("no error"), (error) => error);
}

// pause waits for some milliseconds.
export function pause(time) {
  return new Promise((resolve) => { setTimeout(resolve, time); });
}

// untilCanceled cancels until a statement ends, and returns what it is rejected with.
export async function untilCanceled(statement, cancel) {
  let running = true;
  const ended = failure(statement).finally(() => { running = false; });
  while (running) {
    await cancel();
    await pause(50);
  }
  return ended;
}
