using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>What two schemas do not have in common.</summary>
/// <param name="Same">Pairs that have the same key.</param>
/// <param name="Rewritten">Pairs that make the same object, with expressions that are written in different ways.</param>
internal sealed record SchemaDifferences(
    IReadOnlyList<SqlStatement> Missing, IReadOnlyList<SqlStatement> Added, IReadOnlyList<(SqlStatement Captured, SqlStatement Restored)> Same,
    IReadOnlyList<(SqlStatement Captured, SqlStatement Restored)> Rewritten)
{
    /// <param name="key">Of statements that are the same; "" where a statement says nothing.</param>
    public static SchemaDifferences Of(IEnumerable<SqlStatement> captured, IEnumerable<SqlStatement> restored, Func<SqlStatement, string> key)
    {
        Dictionary<string, Queue<SqlStatement>> left = restored.GroupBy(key).ToDictionary(static group => group.Key, static group => new Queue<SqlStatement>(group));
        List<SqlStatement> missing = [];
        List<(SqlStatement, SqlStatement)> same = [];
        foreach (SqlStatement statement in captured)
        {
            if (left.GetValueOrDefault(key(statement)) is { Count: > 0 } found)
                same.Add((statement, found.Dequeue()));
            else if (key(statement).Length > 0)
                missing.Add(statement);
        }

        return new SchemaDifferences(missing, [.. left.Where(static pair => pair.Key.Length > 0).SelectMany(static pair => pair.Value)], same, []);
    }

    /// <summary>The same, where what is missing and what is added but for their expressions are pairs.</summary>
    /// <param name="outline">A statement without its expressions.</param>
    /// <param name="doubtful">Pairs of the same key that may differ all the same.</param>
    public SchemaDifferences WithRewritten(Func<SqlStatement, string> outline, Func<(SqlStatement Captured, SqlStatement Restored), bool> doubtful)
    {
        SchemaDifferences outlines = Of(Missing, Added, outline);
        return outlines with { Same = [], Rewritten = [.. outlines.Same, .. Same.Where(doubtful)] };
    }
}
