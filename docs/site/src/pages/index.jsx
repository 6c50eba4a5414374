import React from 'react';
import Link from '@docusaurus/Link';
import CodeBlock from '@theme/CodeBlock';
import Layout from '@theme/Layout';
import {usePluginData} from '@docusaurus/useGlobalData';

const statement = `EXEC databricks_workspace.postgres.postgres_credentials.generate
@endpoint = 'projects/orders/branches/production/endpoints/primary'
;`;

const uses = [
  {
    to: '/uses/prompt/',
    title: 'SQL at the prompt',
    text: 'Query every resource, call every method, and open psql in a Lakebase endpoint: from a script, a prompt, PostgreSQL’s clients, Go, or an agent.',
    code: 'lakeql psql orders',
  },
  {
    to: '/uses/pipelines/',
    title: 'Inventory pipelines',
    text: 'The same queries over one workspace or a thousand, on a schedule. Every row keeps its history.',
    code: 'lakeql pipeline run inventory',
  },
  {
    to: '/uses/publishing/',
    title: 'Publish documentation',
    text: 'Pages for this or another StackQL provider, written from its OpenAPI documents. Every statement on them is checked.',
    code: 'lakeql docs --output-dir website/docs',
  },
];

const names = {databricks_workspace: 'Workspace', databricks_account: 'Account'};
const about = {
  databricks_workspace: 'Lakebase, jobs, clusters, SQL warehouses, Unity Catalog, serving, and the rest of a workspace.',
  databricks_account: 'Workspaces, identities, networks, budgets, and logs of an account.',
};

export default function Home() {
  const {counts} = usePluginData('lakeql-search');
  return (
    <Layout description="lakeql runs SQL against the Databricks API: statements become calls, and the responses become rows.">
      <main className="home">
        <section className="home__first">
          <div className="home__words">
            <h1>A Databricks workspace behind SQL</h1>
            <p>
              A statement becomes API calls, and the responses become rows. There is no server to run and no copy of the data. A failed call is an error, never a shorter
              result.
            </p>
            <p className="home__actions">
              <Link className="home__action" to="/uses/prompt/">
                Try it without an account
              </Link>
              <Link to="/databricks_workspace/services/postgres/postgres_credentials/">See a resource</Link>
            </p>
          </div>
          <div className="home__statement">
            <CodeBlock language="sql">{statement}</CodeBlock>
            <dl className="home__row">
              <div>
                <dt>token</dt>
                <dd>eyJhbGciOiJFZERTQSIsInR5cCI6…</dd>
              </div>
              <div>
                <dt>expire_time</dt>
                <dd>2026-11-30T19:03:38Z</dd>
              </div>
            </dl>
          </div>
        </section>

        <section aria-labelledby="uses">
          <h2 id="uses">Three uses</h2>
          <ul className="home__uses">
            {uses.map((use) => (
              <li key={use.to}>
                <h3>
                  <Link to={use.to}>{use.title}</Link>
                </h3>
                <p>{use.text}</p>
                <code>{use.code}</code>
              </li>
            ))}
          </ul>
        </section>

        <section aria-labelledby="reference">
          <h2 id="reference">Reference</h2>
          <ul className="home__providers">
            {counts
              .slice()
              .sort((a, b) => b.resources - a.resources)
              .map(({provider, services, resources}) => (
                <li key={provider}>
                  <h3>
                    <Link to={`/${provider}/`}>{names[provider] ?? provider}</Link>
                  </h3>
                  <p>{about[provider]}</p>
                  <p className="home__counts">
                    <strong>{resources}</strong> resources in <strong>{services}</strong> services
                  </p>
                </li>
              ))}
          </ul>
        </section>
      </main>
    </Layout>
  );
}
