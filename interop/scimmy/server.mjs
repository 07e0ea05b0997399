// Serves an in-memory directory with scimmy-routers and accepts one bearer token: `SCIM_TOKEN=… node server.mjs PORT`.

import { randomUUID } from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const port = Number(process.argv[2]);
const token = process.env.SCIM_TOKEN;

/** Stores resources by id, and refuses a second resource with the same value of the attribute `unique`. */
function store(unique) {
  const stored = new Map();
  const missing = (id) => new SCIMMY.Types.Error(404, null, `${id} does not exist`);
  return {
    ingress(resource, data) {
      if (resource.id && !stored.has(resource.id)) throw missing(resource.id);
      const taken = [...stored.values()].find(
        (other) => other.id !== resource.id && unique && other[unique].toLowerCase() === data[unique].toLowerCase(),
      );
      if (taken) throw new SCIMMY.Types.Error(409, "uniqueness", `${data[unique]} already exists`);
      const now = new Date().toISOString();
      const id = resource.id ?? randomUUID();
      const created = stored.get(id)?.meta.created ?? now;
      const saved = { ...JSON.parse(JSON.stringify(data)), id, meta: { created, lastModified: now } };
      // scimmy adds an existing member a second time; a directory that stores memberships as rows does not.
      saved.members &&= [...new Map(saved.members.map((member) => [member.value, member])).values()];
      stored.set(id, saved);
      return saved;
    },
    egress(resource) {
      if (resource.id) {
        const found = stored.get(resource.id);
        if (!found) throw missing(resource.id);
        return found;
      }
      const all = [...stored.values()];
      return resource.filter ? resource.filter.match(all) : all;
    },
    degress(resource) {
      if (!stored.delete(resource.id)) throw missing(resource.id);
    },
  };
}

function declare(type, { ingress, egress, degress }) {
  SCIMMY.Resources.declare(type).ingress(ingress).egress(egress).degress(degress);
}

declare(SCIMMY.Resources.User, store("userName"));
declare(SCIMMY.Resources.Group, store(null));

const app = express();
app.use(
  "/scim/v2",
  new SCIMMYRouters({
    type: "bearer",
    handler(request) {
      if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("the bearer token is wrong");
      return "client";
    },
  }),
);
app.listen(port, "127.0.0.1");
