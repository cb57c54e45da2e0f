using System.Globalization;
using Lifeboat.Engine.Secrets;
using Lifeboat.Output;

namespace Lifeboat.Demo;

/// <summary>The sample app's PostgreSQL database: an owner, a reader, tables of several kinds.</summary>
internal sealed class DemoDatabase(DemoServer server)
{
    public const string Name = "shop";
    private const string Owner = "shop_owner";
    private const string Reader = "shop_reader";
    private readonly Secret _ownerPassword = new("owner's pass-word");
    private readonly Secret _readerPassword = new("reader");

    public DemoServer Server => server;

    public string Url => server.Url(Name);

    public async Task CreateAsync(CancellationToken cancellation)
    {
        await server.SqlAsync(
            "postgres",
            $"""
            CREATE ROLE {Owner} LOGIN PASSWORD '{_ownerPassword.Reveal().Replace("'", "''", StringComparison.Ordinal)}';
            CREATE ROLE {Reader} LOGIN PASSWORD '{_readerPassword.Reveal()}' CONNECTION LIMIT 5;
            CREATE DATABASE {Name} OWNER {Owner};
            ALTER DATABASE {Name} SET work_mem = '8MB';
            ALTER ROLE {Reader} SET statement_timeout = '30s';
            """,
            cancellation);
        await server.SqlAsync(Name, Tables, cancellation);
    }

    public async Task<string> DescribeAsync(CancellationToken cancellation)
    {
        string[] found = (await server.SqlAsync(
            Name,
            """
            SELECT current_setting('server_version'), (SELECT count(*) FROM pg_tables WHERE schemaname = 'public'),
                (SELECT count(*) FROM customer) + (SELECT count(*) FROM orders) + (SELECT count(*) FROM document)
            """,
            cancellation)).Trim().Split('|');
        string rows = Quantity.Number(long.Parse(found[2], CultureInfo.InvariantCulture));
        return $"PostgreSQL {found[0].Split(' ')[0]}: database {Name} with {found[1]} tables and {rows} rows, roles {Owner} and {Reader}";
    }

    public Task DestroyAsync(CancellationToken cancellation) =>
        server.SqlAsync("postgres", $"DROP DATABASE {Name} WITH (FORCE); DROP ROLE {Reader}; DROP ROLE {Owner};", cancellation);

    /// <summary>What must be the same afterwards, each thing with its value.</summary>
    public async Task<IReadOnlyList<(string What, string Value)>> FingerprintAsync(CancellationToken cancellation)
    {
        string dump = await server.DumpAsync("pg_dump", ["-d", Name, "--create"], cancellation);
        string roles = await server.DumpAsync("pg_dumpall", ["--roles-only"], cancellation);
        string? owner = await server.TrySqlAsync(Name, Owner, _ownerPassword,
            "SELECT count(*) FROM document; UPDATE customer SET name = name WHERE id = 1;", cancellation);
        string? reader = await server.TrySqlAsync(Name, Reader, _readerPassword, "SELECT count(*) FROM customer;", cancellation);
        string? intruder = await server.TrySqlAsync(Name, Reader, _readerPassword, "DELETE FROM customer;", cancellation);
        return
        [
            ("PostgreSQL: pg_dump, sorted", Digest.OfLines(Lasting(dump))),
            ("PostgreSQL: roles and passwords", Digest.OfLines(Lasting(roles))),
            ("PostgreSQL: owner logs in, writes", owner is null ? "no" : "yes"),
            ("PostgreSQL: reader logs in, reads", reader is null ? "no" : "yes"),
            ("PostgreSQL: reader may delete", intruder is null ? "no" : "yes"),
        ];
    }

    /// <summary>Without comments, and without the random key that newer programs write into each dump.</summary>
    private static IEnumerable<string> Lasting(string dump) => dump.Split('\n').Where(static line =>
        line.Length > 0
        && !line.StartsWith("--", StringComparison.Ordinal)
        && !line.StartsWith("\\restrict ", StringComparison.Ordinal)
        && !line.StartsWith("\\unrestrict ", StringComparison.Ordinal));

    private const string Tables = $"""
        SET ROLE {Owner};
        CREATE TYPE order_state AS ENUM ('open', 'paid', 'shipped');
        CREATE TABLE customer (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, email text UNIQUE NOT NULL,
            settings jsonb NOT NULL DEFAULT '[]', since timestamptz NOT NULL);
        CREATE TABLE orders (
            id bigserial PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customer, state order_state NOT NULL,
            net numeric(12, 2) NOT NULL, gross numeric(12, 2) GENERATED ALWAYS AS (net * 1.19) STORED, weight double precision, note text);
        CREATE INDEX ON orders (customer_id, state) WHERE state <> 'shipped';
        CREATE TABLE document (id uuid PRIMARY KEY, name text NOT NULL, content bytea NOT NULL, tags text[] NOT NULL);
        INSERT INTO customer (name, email, settings, since)
            SELECT 'Customer ' || i || E' \u00fc\u6f22\U0001F6DF', 'c' || i || '@example.com',
                jsonb_build_object('theme', i % 3, 'quote', E'it''s "quoted"\\ \t'), '2026-01-01Z'::timestamptz + i * interval '1 minute'
            FROM generate_series(1, 5000) i;
        INSERT INTO orders (customer_id, state, net, weight, note)
            SELECT 1 + i % 5000, (ARRAY['open', 'paid', 'shipped'])[1 + i % 3]::order_state, (i % 9973) / 7.0, sqrt(i),
                CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'line one\nline two' ELSE repeat(md5(i::text), 4) END
            FROM generate_series(1, 60000) i;
        INSERT INTO document
            SELECT md5(i::text)::uuid, 'document ' || i, decode(repeat(md5(i::text), 64), 'hex'), ARRAY['a', NULL, 'b,c']
            FROM generate_series(1, 2000) i;
        CREATE VIEW turnover AS SELECT customer_id, sum(gross) AS gross FROM orders GROUP BY customer_id;
        CREATE MATERIALIZED VIEW best AS SELECT * FROM turnover ORDER BY gross DESC, customer_id LIMIT 10;
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := coalesce(NEW.note, 'touched'); RETURN NEW; END $$;
        CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO {Reader};
        COMMENT ON TABLE orders IS 'what was ordered';
        """;
}
