using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>A table, sequence, index or view: both names plain, not quoted.</summary>
internal readonly record struct RelationName(string Schema, string Name)
{
    /// <summary>For SQL.</summary>
    public string Quoted => SqlText.Identifier(Schema, Name);

    /// <summary>For SQL that asks whether there is one: its object id, or NULL.</summary>
    public string Oid => $"pg_catalog.to_regclass({SqlText.Literal(Quoted)})";

    public override string ToString() => $"{Schema}.{Name}";
}
