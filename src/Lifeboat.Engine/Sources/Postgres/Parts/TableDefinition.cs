using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>When a statement of a table's definition is run; within a phase they keep the dump's order.</summary>
internal enum DefinitionPhase
{
    /// <summary>The table and its sequences, with what the rows need.</summary>
    Table,

    /// <summary>Indexes, and the constraints that are indexes; when the rows are there.</summary>
    Index,

    /// <summary>A partition joins its parent, which takes over the indexes that fit.</summary>
    Attach,

    IndexAttach,

    /// <summary>Foreign keys, triggers, rules, policies, rights, comments.</summary>
    Rest,
}

/// <summary>One statement of a table's definition.</summary>
/// <param name="Sql">As pg_dump wrote it, with the settings that stood above it.</param>
/// <param name="Unless">A query; the statement is left out where it gives a row. Null for always.</param>
internal sealed record DefinitionStatement(DefinitionPhase Phase, string Sql, string? Unless = null)
{
    /// <summary>Its place in the dump.</summary>
    public int Position { get; init; }

    /// <summary>The role that it names, without which it is left out; null for none.</summary>
    public string? Grantee { get; init; }

    /// <summary>The table that a foreign key refers to.</summary>
    public RelationName? References { get; init; }

    /// <summary>The condition of a foreign key: it is not there yet, and its table is.</summary>
    public static string UnlessKey(RelationName table, string name) => $"{Key(table, name)} UNION ALL SELECT 1 WHERE {table.Oid} IS NULL";

    /// <summary>A query that gives a row where a table has a constraint of that name.</summary>
    public static string Key(RelationName table, string name) =>
        $"SELECT 1 FROM pg_catalog.pg_constraint WHERE conrelid = {table.Oid} AND conname = {SqlText.Literal(name)}";

    /// <summary>Whether it changes another table that may be there: a check run for trial leaves it out.</summary>
    public bool TouchesOthers { get; init; }
}

/// <summary>What the snapshot's schema says of one table.</summary>
internal sealed class TableDefinition(RelationName name)
{
    /// <summary>A query for the names of the publications that we may put tables into.</summary>
    public const string OurPublications = "SELECT pubname FROM pg_catalog.pg_publication WHERE pg_catalog.pg_has_role(current_user, pubowner, 'USAGE')";

    public RelationName Name => name;

    /// <summary>Whether it is only the parent of its partitions, without rows of its own.</summary>
    public bool IsPartitioned { get; set; }

    /// <summary>The table whose partition it is, or those that it inherits from.</summary>
    public List<RelationName> Parents { get; } = [];

    /// <summary>Those of them that its CREATE TABLE names.</summary>
    public List<RelationName> Inherits { get; } = [];

    /// <summary>Sequences of its own columns.</summary>
    public List<RelationName> Sequences { get; } = [];

    /// <summary>In the dump's order.</summary>
    public List<DefinitionStatement> Statements { get; } = [];

    /// <summary>Publications that name it.</summary>
    public List<string> Publications { get; } = [];

    /// <summary>CREATE TABLE with other names for it and for the tables that it inherits from, by what gives them.</summary>
    public required Func<Func<RelationName, RelationName>, string> CreateAs { get; init; }
}
