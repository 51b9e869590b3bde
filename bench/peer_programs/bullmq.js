// BullMQ as a command: `bullmq.js SOCKET work|pause|resume|feed [COUNT]`. `pause` is what is measured.
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

if (word === "work") {
  const work = () => new Promise((done) => setTimeout(done, TAKES));
  new Worker("bench", work, { connection, concurrency: 4, removeOnComplete: { count: 0 } });
} else ask();
