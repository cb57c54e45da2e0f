namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>
/// Options of subscriptions whose defaults have changed: an older pg_dump does not write what was the default then, so a newer server would take its own. (PostgreSQL's
/// pg_dump of a newer version, which knows both, writes the older default out.)
/// </summary>
internal static class SubscriptionDefaults
{
    /// <summary>From this major version on changes are applied with the rights of the tables' owners, not of the subscription's.</summary>
    public const int RunsAsTablesOwner = 16;

    /// <summary>From this major version on large transactions are applied while they go on, where nothing else is said.</summary>
    public const int StreamsInParallel = 18;

    /// <summary>What gives a restored database's subscriptions the defaults of the time of the dump.</summary>
    /// <param name="schema">The dump's text.</param>
    /// <param name="major">The major version of the program that wrote it.</param>
    public static IEnumerable<string> Sql(string schema, int major, int serverMajor)
    {
        bool before(int change) => major < change && serverMajor >= change;
        if (!(before(RunsAsTablesOwner) || before(StreamsInParallel)) || !schema.Contains("CREATE SUBSCRIPTION ", StringComparison.Ordinal))
            yield break;
        foreach (IReadOnlyList<SqlToken> tokens in SqlStatements.Split(schema).Select(static s => s.Tokens).Where(static t => t.Count > 2 && t[0].Is("create") && t[1].Is("subscription")))
        {
            string subscription = SqlText.Identifier(tokens[2].Value);
            if (before(RunsAsTablesOwner))
                yield return $"ALTER SUBSCRIPTION {subscription} SET (run_as_owner = true)";
            if (before(StreamsInParallel) && !tokens.Any(static token => token.Is("streaming")))
                yield return $"ALTER SUBSCRIPTION {subscription} SET (streaming = off)";
        }
    }
}
