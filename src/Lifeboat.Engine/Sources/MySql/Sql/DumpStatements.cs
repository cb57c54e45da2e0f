using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Sources.MySql.Sql;

/// <summary>
/// What the files of a MySQL source may hold: each statement is one, and of a kind that its file has. A bundle's statements are run with all rights, by a program that
/// sends whatever it is given: a table's definition could be followed by anything.
/// </summary>
internal static partial class DumpStatements
{
    private static readonly string[] s_objects = ["view", "function", "procedure", "trigger", "event", "package", "library"];
    private static readonly string[] s_sessionSettings = ["character_set_client", "collation_connection", "sql_mode", "time_zone"];
    private static readonly SqlDialect s_plain = new("", "utf8mb4", DollarQuotes: false);
    private static readonly SqlDialect s_quotedNames = s_plain with { SqlMode = "ANSI_QUOTES" };

    /// <summary>Words that stand between a routine's parameters and its body.</summary>
    private static readonly HashSet<string> s_characteristics =
    [
        "returns", "language", "sql", "not", "deterministic", "contains", "no", "reads", "modifies", "data", "security", "definer", "invoker", "comment", "charset",
        "character", "set", "collate", "unsigned", "signed", "zerofill", "binary", "ascii", "unicode",
        "bit", "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "numeric", "dec", "fixed", "float", "double", "precision", "real", "bool", "boolean",
        "date", "time", "datetime", "timestamp", "year", "char", "varchar", "varchar2", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "tinytext", "text",
        "mediumtext", "longtext", "enum", "json", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection",
        "uuid", "inet4", "inet6", "vector", "varying", "national", "nchar", "nvarchar", "long", "serial", "type", "of", "row", "srid", "using",
    ];

    [GeneratedRegex(@"^CREATE TABLE `", RegexOptions.CultureInvariant)]
    private static partial Regex Table();

    /// <exception cref="FormatException">It is not what SHOW CREATE TABLE prints.</exception>
    public static void RequireTable(string sql)
    {
        IReadOnlyList<DumpToken> tokens = One(sql, s_plain);
        if (!Table().IsMatch(sql) || tokens.Any(static token => token.Is("select")) || tokens.Skip(2).Any(static token => token.Is("table")))
            throw Foreign("it is no table's definition");
    }

    /// <exception cref="FormatException">It is not what SHOW CREATE SEQUENCE prints.</exception>
    public static void RequireSequence(string sql)
    {
        IReadOnlyList<DumpToken> tokens = One(sql, s_plain);
        if (tokens.Count < 3 || !tokens[0].Is("create") || !tokens[1].Is("sequence"))
            throw Foreign("it is no sequence's definition");
    }

    /// <summary>What stands behind the name in CREATE DATABASE.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static void RequireDatabaseOptions(string sql)
    {
        if (One(sql, s_plain).Any(static token => token.Kind == DumpTokenKind.Symbol && !token.IsSymbol('=')))
            throw Foreign("it has more than a database's options");
    }

    /// <summary>An account, a grant, a default role.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static void RequireAccount(string sql)
    {
        IReadOnlyList<DumpToken> tokens = One(sql, s_plain);
        _ = One(sql, s_quotedNames); // in which some grants are run
        bool fits = tokens.Count > 2 && tokens[0].Kind == DumpTokenKind.Word && tokens[0].Value switch
        {
            "create" => (tokens[1].Is("user") || tokens[1].Is("role")) && tokens[2].Is("if"),
            "grant" or "revoke" => true,
            "set" => tokens[1].Is("default") && tokens[2].Is("role"),
            "alter" => tokens[1].Is("user") && AfterAccount(tokens, 2) is var at && at + 1 < tokens.Count && tokens[at].Is("default") && tokens[at + 1].Is("role"),
            _ => false,
        };
        if (!fits)
            throw Foreign("it makes no account, and gives it nothing");
    }

    /// <summary>The statements that make one object: its session's settings, its database's collation, and its definition.</summary>
    /// <param name="trusted">Whether somebody who knows the password wrote them. Then each is what a server printed, and so one statement: bodies may be written as only that
    /// server understands them.</param>
    /// <exception cref="FormatException">There is something else.</exception>
    public static void RequireObject(IReadOnlyList<string> statements, bool dollarQuotes, bool trusted)
    {
        SqlDialect dialect = s_plain with { DollarQuotes = dollarQuotes };
        (int definitions, bool set) = (0, false);
        foreach (string sql in statements)
        {
            if (sql.StartsWith("SET ", StringComparison.Ordinal))
                (dialect, set) = (Settings(sql, dialect), set || (sql.Contains("sql_mode", StringComparison.Ordinal) && sql.Contains("character_set_client", StringComparison.Ordinal)));
            else if (sql.StartsWith("ALTER DATABASE COLLATE ", StringComparison.Ordinal))
                Collation(sql);
            else if (definitions++ > 0)
                throw Foreign("it makes more than one object");
            else if (!set)
                throw Foreign("it does not say in which mode it is read");
            else
                RequireDefinition(sql, dialect, trusted);
        }
    }

    private static FormatException Foreign(string why) => new(why);

    /// <summary>The tokens of what is one statement, as a semicolon would end it.</summary>
    private static IReadOnlyList<DumpToken> One(string sql, SqlDialect dialect)
    {
        IReadOnlyList<DumpToken> tokens = DumpLexer.Read(sql, dialect);
        return tokens.Any(static token => token.IsSymbol(';') || token.IsSymbol('\\')) ? throw Foreign("it is more than one statement") : tokens;
    }

    private static int AfterAccount(IReadOnlyList<DumpToken> tokens, int at) => at + 1 < tokens.Count && tokens[at + 1].IsSymbol('@') ? at + 3 : at + 1;

    private static SqlDialect Settings(string sql, SqlDialect dialect)
    {
        IReadOnlyList<DumpToken> tokens = One(sql, s_plain);
        for (int i = 1; i < tokens.Count; i += 4)
        {
            bool fits = i + 2 < tokens.Count && tokens[i].Kind == DumpTokenKind.Word && s_sessionSettings.Contains(tokens[i].Value) && tokens[i + 1].IsSymbol('=')
                && tokens[i + 2].Kind != DumpTokenKind.Symbol && (i + 3 == tokens.Count || tokens[i + 3].IsSymbol(','));
            if (!fits)
                throw Foreign("it sets something else than an object's own settings");
            dialect = tokens[i].Value switch
            {
                "sql_mode" => dialect with { SqlMode = tokens[i + 2].Value },
                "character_set_client" => dialect with { CharacterSet = tokens[i + 2].Value.ToLowerInvariant() },
                _ => dialect,
            };
        }

        return dialect;
    }

    private static void Collation(string sql)
    {
        IReadOnlyList<DumpToken> tokens = One(sql, s_plain);
        if (tokens.Count != 4 || tokens[3].Kind != DumpTokenKind.Word)
            throw Foreign("it changes more than the database's collation");
    }

    private static void RequireDefinition(string sql, SqlDialect dialect, bool trusted)
    {
        IReadOnlyList<DumpToken> tokens = DumpLexer.Read(sql, dialect);
        int kind = Enumerable.Range(0, tokens.Count).FirstOrDefault(i => tokens[i].Kind == DumpTokenKind.Word && s_objects.Contains(tokens[i].Value), -1);
        // DEFINER = account, ALGORITHM, SQL SECURITY and the like stand before it.
        if (tokens.Count == 0 || !tokens[0].Is("create") || kind is < 1 or > 20 || tokens.Take(kind).Any(static token => token.IsSymbol(';')))
            throw Foreign("it defines no object");
        if (tokens.Any(static token => token.IsSymbol('\\')))
            throw Foreign("it has a backslash outside of quotes");
        if (tokens.Any(static token => token.Is("soname")))
            throw Foreign("it loads a library into the server");
        if (trusted || !tokens.Any(static token => token.IsSymbol(';')))
            return;
        if (dialect.IsOracle)
            throw Foreign("its body is written in sql_mode ORACLE, which is taken from an encrypted bundle alone");
        // Some servers run what is in such a comment, others pass it over: a body might end in two places.
        if (sql.Contains("/*!", StringComparison.Ordinal) || sql.Contains("/*M!", StringComparison.Ordinal))
            throw Foreign("its body has a comment that is run, which is taken from an encrypted bundle alone");
        if (Body(tokens, kind) is not (var body and > 0) || !new CompoundStatement(tokens).Fills(body))
            throw Foreign("it is more than one statement");
    }

    /// <summary>Where the body of a routine, trigger or event starts; -1 for none that may hold semicolons.</summary>
    private static int Body(IReadOnlyList<DumpToken> tokens, int kind) => tokens[kind].Value switch
    {
        "trigger" => AfterRow(tokens, kind),
        "event" => Enumerable.Range(kind, tokens.Count - kind).FirstOrDefault(i => tokens[i].Is("do"), -2) + 1,
        "function" or "procedure" => AfterCharacteristics(tokens, kind),
        _ => -1,
    };

    private static int AfterRow(IReadOnlyList<DumpToken> tokens, int from)
    {
        for (int i = from; i + 3 < tokens.Count; i++)
            if (tokens[i].Is("for") && tokens[i + 1].Is("each") && tokens[i + 2].Is("row"))
                return tokens[i + 3].Is("follows") || tokens[i + 3].Is("precedes") ? i + 5 : i + 3;
        return -1;
    }

    private static int AfterCharacteristics(IReadOnlyList<DumpToken> tokens, int from)
    {
        int depth = 0;
        bool parameters = false;
        for (int i = from + 1; i < tokens.Count; i++)
        {
            depth += tokens[i].IsSymbol('(') ? 1 : tokens[i].IsSymbol(')') ? -1 : 0;
            parameters |= depth > 0;
            bool passed = depth > 0 || !parameters || tokens[i].Kind != DumpTokenKind.Word || s_characteristics.Contains(tokens[i].Value)
                || tokens[i].Value.All(char.IsAsciiDigit) || tokens[i - 1].Is("collate") || tokens[i - 1].Is("charset") || tokens[i - 1].Is("language")
                || (tokens[i - 1].Is("set") && tokens[i - 2].Is("character"));
            if (!passed)
                return i;
        }

        return -1;
    }
}
