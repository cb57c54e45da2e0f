namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>
/// Writes names and values into SQL. Whatever stands inside quotes is left alone by psql (no <c>:variable</c>, no backslash commands),
/// and every session has <c>standard_conforming_strings = on</c>, so doubling the quote is all that is needed.
/// </summary>
public static class SqlText
{
    /// <summary>A name, always quoted: <c>"order"</c>.</summary>
    public static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>A schema's object: <c>"public"."order"</c>.</summary>
    public static string Identifier(string schema, string name) => $"{Identifier(schema)}.{Identifier(name)}";

    /// <summary>A string literal: <c>'it''s'</c>.</summary>
    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>A string literal, or <c>NULL</c>.</summary>
    public static string LiteralOrNull(string? text) => text is null ? "NULL" : Literal(text);
}
