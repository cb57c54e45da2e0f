using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Restore;

namespace Lifeboat.Tests.Sources.Postgres;

public sealed class LoadPlanTests
{
    [Fact]
    public void The_largest_table_comes_first_and_an_empty_one_not_at_all()
    {
        LoadPlan plan = Plan([("small", 10, 1, null), ("large", 1000, 1, null), ("empty", 0, 1, null)]);

        Assert.Equal(["large", "small"], Assert.Single(plan.Turns).Select(static job => job.Table.Name));
        Assert.All(plan.Turns[0], static job => Assert.Equal($"COPY \"public\".\"{job.Table.Name}\" (\"a\") FROM STDIN WITH (ENCODING 'UTF8', FREEZE)", job.Sql));
    }

    [Fact]
    public void One_session_loads_all_parts_of_a_table_frozen_unless_it_outweighs_the_others()
    {
        LoadJob balanced = Plan([("one", 500, 4, null), ("two", 500, 1, null)]).Turns[0].Single(static job => job.Table.Name == "one");
        LoadJob[] dominant = [.. Plan([("one", 900, 4, null), ("two", 100, 1, null)]).Turns[0].Where(static job => job.Table.Name == "one")];

        Assert.Equal((4, true), (balanced.Paths.Count, balanced.Freeze));
        Assert.Equal(4, dominant.Length);
        Assert.All(dominant, static job => Assert.False(job.Freeze));
    }

    [Fact]
    public void An_extensions_tables_keep_their_own_rows_and_are_loaded_in_the_order_of_their_keys()
    {
        ILookup<string, string> keys = new[] { ("\"public\".\"label\"", "\"public\".\"graph\""), ("\"public\".\"self\"", "\"public\".\"self\"") }
            .ToLookup(static key => key.Item1, static key => key.Item2);

        LoadPlan plan = Plan([("label", 100, 1, "age"), ("graph", 10, 1, "age"), ("self", 5, 1, null), ("other", 50, 1, null)], keys);

        Assert.Equal(["other, graph, self", "label"], plan.Turns.Select(static turn => string.Join(", ", turn.Select(static job => job.Table.Name))));
        Assert.Equal(["other"], plan.Turns.SelectMany(static turn => turn).Where(static job => job.Freeze).Select(static job => job.Table.Name));
    }

    private static LoadPlan Plan((string Name, long Bytes, int Parts, string? Extension)[] tables, ILookup<string, string>? keys = null) => LoadPlan.Of(
        [.. tables.Select(static t => new PostgresTable("public", t.Name, ["a"], "table", false, null, t.Extension))],
        [.. tables.Select(static t => new TableMetadata(t.Name, t.Bytes, t.Bytes, "", [.. Enumerable.Range(1, t.Parts).Select(part => $"{t.Name}.{part}")]))],
        keys ?? Array.Empty<string>().ToLookup(static key => key),
        workers: 2,
        "UTF8");
}
