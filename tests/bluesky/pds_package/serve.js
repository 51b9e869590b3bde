// A real PDS, told everything by its environment: says "ready" when it listens, ends when its standard input does.
const { PDS, envToCfg, envToSecrets, readEnv } = require("@atproto/pds");

async function main() {
  const env = readEnv();
  const pds = await PDS.create(envToCfg(env), envToSecrets(env));
  await pds.start();
  console.log("ready");
  process.stdin.resume();
  process.stdin.on("end", async () => {
    await pds.destroy();
    process.exit(0);
  });
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
