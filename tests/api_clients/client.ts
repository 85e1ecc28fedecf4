// A program against the store's API whose types are generated from its OpenAPI document. It has to compile, and to run.
import createClient from "openapi-fetch";
import type { components, paths } from "./store.js";

const address = process.argv[2]!;
const client = createClient<paths>({ baseUrl: address });

function given<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(`refused: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

const found = given(
  await client.GET("/v2/products", {
    params: { query: { limit: 3, cut: ["Ideal"] }, header: { "X-Currency": "EUR" } },
  }),
);
const first: components["schemas"]["PricedProduct"] = found.items[0]!;
const currency: components["schemas"]["Currency"] = first.price.currency;
const cuts = found.items.map((item) => item.cut);

const product = given(await client.GET("/v2/products/{sku}", { params: { path: { sku: first.sku } } }));

const missing = await client.GET("/v2/products/{sku}", { params: { path: { sku: "NO-SUCH" } } });

const token = given(
  await client.POST("/login", {
    body: { username: "staff@shop.example.com", password: "brilliant-cut", scope: "" },
    bodySerializer: (body) => new URLSearchParams(body as unknown as Record<string, string>),
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  }),
);
const me = given(
  await client.GET("/v2/customers/me", { headers: { Authorization: `Bearer ${token.access_token}` } }),
);

// @ts-expect-error a limit is a number: the types would not say it if the document didn't
await client.GET("/v2/products", { params: { query: { limit: "many" } } });

console.log(
  JSON.stringify({
    count: found.items.length,
    currency,
    cuts,
    same: product.name === first.name,
    missing: missing.response.status,
    role: me.role,
  }),
);
