// BullMQ as a command: `bullmq.js SOCKET work|pause|resume|feed [COUNT]`. `pause` is what is measured.
// A job is one post to the sink (BENCH_SINK); without a sink it takes as long as a platform takes to answer.
const http = require("node:http");
const { Queue, Worker } = require("bullmq");

const [, , path, word, count] = process.argv;
const connection = { path, maxRetriesPerRequest: null };
const TAKES = 100;

async function ask() {
  const queue = new Queue("bench", { connection });
  if (word === "pause") await queue.pause();
  else if (word === "resume") await queue.resume();
  else await queue.addBulk([...Array(Number(count)).keys()].map((place) => ({ name: "post", data: { place } })));
  await queue.close();
}

function send(place) {
  const [host, port] = process.env.BENCH_SINK.split(":");
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  return new Promise((done, failed) => {
    const request = http.request({ host, port, method: "POST", path: "/api/v1/statuses", headers }, (answer) => {
      answer.on("end", done).resume();
    });
    request.on("error", failed).end(`status=post+${place}`);
  });
}

if (word === "work") {
  const wait = () => new Promise((done) => setTimeout(done, TAKES));
  const work = process.env.BENCH_SINK ? (job) => send(job.data.place) : wait;
  new Worker("bench", work, { connection, concurrency: 4, removeOnComplete: { count: 0 } });
} else ask();
