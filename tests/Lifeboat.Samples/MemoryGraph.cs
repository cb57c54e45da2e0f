using System.Text.Json.Nodes;

namespace Lifeboat.Samples;

/// <summary>What the app remembers, as nodes and edges with properties; a database of its own in PostgreSQL.</summary>
internal sealed class MemoryGraph(ChatServers servers, ChatSize size, int seed)
{
    private const string Tables = """
        SET ROLE memory_owner;
        CREATE SCHEMA graph;
        CREATE TABLE graph.node (id bigint PRIMARY KEY, label text NOT NULL, properties jsonb NOT NULL, seen timestamptz);
        CREATE TABLE graph.edge (id bigserial PRIMARY KEY, kind text NOT NULL, source bigint NOT NULL, target bigint NOT NULL, weight real NOT NULL, embedding float8[]);

        """;

    private const string Rest = """
        SELECT setval('graph.edge_id_seq', (SELECT max(id) FROM graph.edge));
        ALTER TABLE graph.edge ADD FOREIGN KEY (source) REFERENCES graph.node DEFERRABLE, ADD FOREIGN KEY (target) REFERENCES graph.node DEFERRABLE;
        CREATE INDEX ON graph.edge (source, kind); CREATE INDEX ON graph.edge (target); CREATE INDEX ON graph.node USING gin (properties);
        CREATE FUNCTION graph.within(start bigint, steps int) RETURNS TABLE (id bigint, distance int) STABLE LANGUAGE sql BEGIN ATOMIC
          WITH RECURSIVE reached(id, distance) AS (SELECT start, 0 UNION SELECT e.target, r.distance + 1 FROM reached r JOIN graph.edge e ON e.source = r.id WHERE r.distance < steps)
          SELECT reached.id, min(reached.distance) FROM reached GROUP BY reached.id ORDER BY 2, 1;
        END;
        GRANT USAGE ON SCHEMA graph TO chat_reader; GRANT SELECT ON graph.node TO chat_reader;
        RESET ROLE;
        ALTER DATABASE memory SET search_path = graph, public;
        """;

    public void Create()
    {
        servers.Postgres("postgres", static script => script.Write($"""
            CREATE ROLE memory_owner LOGIN PASSWORD '{ChatApp.MemoryOwnerPassword}';
            CREATE DATABASE memory OWNER memory_owner;

            """));
        servers.Postgres("memory", script =>
        {
            script.Write(Tables);
            script.Copy("graph.node", Nodes());
            script.Copy("graph.edge", Edges());
            script.Write(Rest);
        });
    }

    private IEnumerable<object?[]> Nodes()
    {
        SampleText chance = new(seed);
        string[] labels = ["Person", "Topic", "Place", "Document"];
        for (int id = 1; id <= size.Nodes; id++)
            yield return [id, labels[chance.Below(labels.Length)], new JsonObject { ["name"] = chance.Words(15), ["rank"] = chance.Fraction() }.ToJsonString(), id % 4 == 0 ? null : $"{chance.Moment():O}"];
    }

    private IEnumerable<object?[]> Edges()
    {
        SampleText chance = new(seed + 1);
        for (int id = 1; id <= size.Edges; id++)
            yield return
            [
                id, chance.Word().ToUpperInvariant(), 1 + chance.Below(size.Nodes), 1 + chance.Below(size.Nodes), (float)chance.Fraction(),
                id % 3 == 0 ? null : $"{{{string.Join(',', Enumerable.Range(0, 8).Select(_ => chance.Fraction().ToString("R", System.Globalization.CultureInfo.InvariantCulture)))}}}",
            ];
    }
}
