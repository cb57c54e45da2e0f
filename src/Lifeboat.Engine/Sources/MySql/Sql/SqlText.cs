namespace Lifeboat.Engine.Sources.MySql.Sql;

/// <summary>Writes names and values into SQL, for sessions without <c>ANSI_QUOTES</c> and <c>NO_BACKSLASH_ESCAPES</c>.</summary>
internal static class SqlText
{
    /// <summary>A name, always quoted: <c>`order`</c>.</summary>
    public static string Identifier(string name) => $"`{name.Replace("`", "``", StringComparison.Ordinal)}`";

    /// <summary>A schema's object: <c>`shop`.`order`</c>.</summary>
    public static string Identifier(string schema, string name) => $"{Identifier(schema)}.{Identifier(name)}";

    public static string Literal(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal).Replace("\0", "\\0", StringComparison.Ordinal)}'";

    /// <summary>An account: <c>`app`@`%`</c>; a role without a host is one of MariaDB's: <c>`app`</c>.</summary>
    public static string Account(string user, string host) => host.Length == 0 ? Identifier(user) : $"{Identifier(user)}@{Identifier(host)}";
}
