// A client of the simple protocol alone, without a library. It does what tools over StackQL's server do: it
// connects with a user's name and no password, probes with SELECT 1 until the server answers, sends whole
// statements, several in one message too, and takes every value as text.

import net from "node:net";
import { report, pause, PGHOST, PGPORT, PGUSER, QUERY, ROWS, SLOW, WRONG, EXEC } from "./story.js";

// message makes a message of a type and a text that ends with a zero byte.
function message(type, text) {
  const body = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(type.length + 4);
  head.write(type);
  head.writeInt32BE(body.length + 4, type.length);
  return Buffer.concat([head, body]);
}

// strings splits the zero-ended texts of a body.
const strings = (body) => body.toString().split("\0");

class Client {
  #socket;
  #waiting = Buffer.alloc(0);
  #answer; // what takes the messages up to ReadyForQuery

  // connect logs in, and resolves when the server is ready.
  static async connect(parameters) {
    const client = new Client();
    client.#socket = net.connect(Number(PGPORT), PGHOST);
    client.#socket.on("error", (error) => client.#answer.reject(error));
    client.#socket.on("data", (data) => client.#take(data));
    const version = Buffer.from([0, 3, 0, 0]);
    const text = Object.entries(parameters).flat().join("\0") + "\0";
    await client.#ask(message("", version.toString("latin1") + text));
    return client;
  }

  // query runs a text, and resolves with the results of its statements.
  query(text) {
    return this.#ask(message("Q", text));
  }

  end() {
    this.#socket.end(Buffer.from([0x58, 0, 0, 0, 4]));
  }

  #ask(request) {
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject, results: [], rows: [], columns: [], notices: [] };
      this.#socket.write(request);
    });
  }

  #take(data) {
    this.#waiting = Buffer.concat([this.#waiting, data]);
    while (this.#waiting.length >= 5) {
      const end = 1 + this.#waiting.readInt32BE(1);
      if (this.#waiting.length < end) return;
      this.#message(String.fromCharCode(this.#waiting[0]), this.#waiting.subarray(5, end));
      this.#waiting = this.#waiting.subarray(end);
    }
  }

  #message(type, body) {
    const answer = this.#answer;
    switch (type) {
      case "T": { // RowDescription: for each column its name, and 18 bytes about its type
        answer.columns = [];
        for (let at = 2; at < body.length;) {
          const zero = body.indexOf(0, at);
          answer.columns.push(body.toString("utf8", at, zero));
          at = zero + 19;
        }
        break;
      }
      case "D": { // DataRow: for each value its length, -1 for NULL
        const row = {};
        let at = 2;
        for (const column of answer.columns) {
          const length = body.readInt32BE(at);
          at += 4;
          row[column] = length < 0 ? null : body.toString("utf8", at, at + length);
          at += Math.max(length, 0);
        }
        answer.rows.push(row);
        break;
      }
      case "C": // CommandComplete
        answer.results.push({ command: strings(body)[0], rows: answer.rows, columns: answer.columns });
        answer.rows = [];
        answer.columns = [];
        break;
      case "E": // ErrorResponse: fields, each with its kind before it
        answer.error = Object.fromEntries(strings(body).filter(Boolean).map((field) => [field[0], field.slice(1)]));
        break;
      case "N":
        answer.notices.push(strings(body).find((field) => field[0] === "M").slice(1));
        break;
      case "Z": // ReadyForQuery
        if (answer.error) answer.reject(answer.error);
        else answer.resolve(answer);
        break;
      default: // of the login: nothing that this client needs
    }
  }
}

// probe connects until the server answers.
async function probe() {
  for (;;) {
    try {
      const client = await Client.connect({ user: PGUSER, database: "stackql" });
      await client.query("SELECT 1");
      return client;
    } catch {
      await pause(50);
    }
  }
}

const client = await probe();
const all = async (text) => (await client.query(text)).results;
const values = async (text) => (await all(text)).flatMap((result) => result.rows.flatMap(Object.values));

report("connect", ...await values("SELECT current_database()"));
report("query", ...await values(QUERY));
report("exec", (await values(EXEC))[0].slice(0, 3));
report("rows", ...await values(ROWS));

const several = await all(`-- two statements and a comment
  SELECT name FROM databricks_workspace.postgres.postgres_projects WHERE name = 'projects/orders'; SELECT 2 AS two;`);
report("several", ...several.map((result) => `${result.command}: ${Object.values(result.rows[0])}`));

report("show", (await values("SHOW SERVICES IN databricks_workspace LIKE 'postgres'"))[1]);
report("describe", ...(await all("DESCRIBE databricks_workspace.postgres.postgres_credentials"))[0].rows.map((row) => row.name));
await all("REGISTRY PULL databricks_workspace");
report("registry", ...(await all("REGISTRY LIST"))[0].rows.map((row) => Object.values(row)[0]));
report("insert", (await all("INSERT INTO databricks_workspace.postgres.postgres_projects (project_id, spec) SELECT 'of-the-simple-client', '{}'"))[0].command);
report("delete", (await all("DELETE FROM databricks_workspace.postgres.postgres_projects WHERE project_id = 'of-the-simple-client'"))[0].command);
report("empty", (await all("")).length, (await all(";")).length);

const error = await client.query(`SELECT 1; ${WRONG}; SELECT 2`).catch((fields) => fields);
report("error", error.C, error.P - "SELECT 1; ".length);

report("afterwards", ...await values("SELECT 1"));
client.end();
