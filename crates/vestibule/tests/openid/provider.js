// An OpenID provider with a few people, for the tests of signing in.
//
// node provider.js REDIRECT_URI: listens on a free port and prints its issuer in a line. Whoever is sent to it with
// `login_hint` is signed in as that person, whose groups are behind a colon: `ann:admins,staff`.
import { createServer } from "node:http";
import { once } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.env.OPENID_MODULES, "package.json"));
const { default: Provider } = await import(require.resolve("oidc-provider"));
const { generateKeyPair, exportJWK } = await import(require.resolve("jose"));

const redirectUri = process.argv[2];
const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;

function person(id) {
  const [name, groups = ""] = id.split(":");
  return {
    accountId: id,
    claims: async () => ({
      sub: name,
      preferred_username: name,
      email: `${name}@example.org`,
      groups: groups.split(",").filter(Boolean),
    }),
  };
}

async function provider(kid) {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" };
  const made = new Provider(issuer, {
    clients: [
      {
        client_id: "vestibule",
        client_secret: "a secret: with % and +",
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: [new URL("/console/sign-in", redirectUri).href],
      },
    ],
    jwks: { keys: [key] },
    claims: { openid: ["sub"], profile: ["preferred_username", "groups"], email: ["email"] },
    // Groups come from the userinfo endpoint, unless a client insists.
    conformIdTokenClaims: true,
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
    pkce: { required: () => true },
    cookies: { keys: ["tests only"] },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_ctx, id) => person(id),
    async loadExistingGrant(ctx) {
      const { Grant } = ctx.oidc.provider;
      const grant = new Grant({ accountId: ctx.oidc.session.accountId, clientId: ctx.oidc.client.clientId });
      grant.addOIDCScope("openid profile email");
      await grant.save();
      return grant;
    },
  });
  made.use(async (ctx, next) => {
    if (!ctx.path.startsWith("/interaction/")) return next();
    const { params } = await made.interactionDetails(ctx.req, ctx.res);
    const result = params.login_hint
      ? { login: { accountId: params.login_hint } }
      : { error: "access_denied", error_description: "nobody was named" };
    await made.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
    ctx.respond = false;
  });
  return made.callback();
}

server.on("request", await provider("first"));
console.log(issuer);
