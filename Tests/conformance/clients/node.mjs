// Node's built-in WebSocket as a transport: each line of standard input is a binary message in hex, and so is each line of
// standard output. `node node.mjs URL SUBPROTOCOL`; NODE_EXTRA_CA_CERTS names the certificate to trust.

import { createInterface } from "node:readline";

const [url, subprotocol] = process.argv.slice(2);
const socket = new WebSocket(url, subprotocol);
socket.binaryType = "arraybuffer";
socket.onmessage = (event) => console.log(Buffer.from(event.data).toString("hex"));
socket.onerror = (event) => console.error(event.message ?? event.error ?? "the connection failed");
socket.onclose = (event) => {
  console.error(`closed: ${event.code} ${event.wasClean ? "clean" : "unclean"}`);
  process.exit(event.code === 1000 && event.wasClean ? 0 : 1);
};
socket.onopen = () => {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => socket.send(Buffer.from(line, "hex")));
  lines.on("close", () => socket.close(1000));
};
