using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Apps.Keys;

/// <summary>The checks of single texts. A fault never repeats the text: it may be, or hold, a secret.</summary>
internal static partial class TextRules
{
    private const string SecretHint =
        "keep the secret elsewhere and name its place: `env:NAME`, `file:PATH`, `command:PROGRAM ARGS` or `credential:NAME`";

    public static Fault? AppName(string text)
    {
        if (AppNamePattern().IsMatch(text) && text is not ("." or ".."))
            return null;
        return new Fault(
            "the app's name has other characters than letters, digits, `-`, `_` and `.`, begins with one of `-` and `.`, or is longer than 64",
            "write a short name such as `shop`; bundles are named after it");
    }

    public static Fault? HostName(string text) =>
        text.Length > 0 && char.IsAsciiLetterOrDigit(text[0]) && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            ? null
            : new Fault(
                "the host's name has other characters than letters, digits, `-`, `_` and `.`, or does not begin with a letter or digit",
                "write a short name such as `shop-1`");

    public static Fault? Secret(string text) =>
        SecretReference.TryParse(text, out _, out Fault? fault) ? null : fault;

    public static Fault? PostgresUrlOrSecret(string text)
    {
        if (SecretReference.IsMeant(text))
            return Secret(text);
        return PostgresUrl.TryParse(text, out _, out Fault? fault) ? null : fault;
    }

    public static Fault? MySqlUrlOrSecret(string text)
    {
        if (SecretReference.IsMeant(text))
            return Secret(text);
        return MySqlUrl.TryParse(text, out _, out Fault? fault) ? null : fault;
    }

    public static Fault? Path(string text)
    {
        if (text.Any(char.IsControl))
            return new Fault("there is a control character in the path", "write the path on one line, without escapes");
        if (UrlScheme().IsMatch(text))
            return new Fault("this is a URL, not a path", "write the path of the file or folder alone");
        if (text[0] == '~')
            return new Fault("`~` is not expanded in paths", "write the whole path; for a name that begins with `~` write `./~…`");
        if (text[0] == '$' || text.Contains("${", StringComparison.Ordinal) || WindowsVariable().IsMatch(text))
            return new Fault("environment variables are not expanded in paths", "write the path itself, relative to the app file or absolute");
        return text == ":memory:" ? new Fault("a database in memory cannot be backed up", "write the path of the database's file") : null;
    }

    /// <summary>A directory on a server, which may be of another system than ours.</summary>
    public static Fault? ServerDirectory(string text)
    {
        if (text.Any(char.IsControl))
            return new Fault("there is a control character in the path", "write the path on one line, without escapes");
        return text[0] == '/' || (text.Length > 2 && char.IsAsciiLetter(text[0]) && text[1] == ':' && text[2] is '/' or '\\')
            ? null
            : new Fault("this is not an absolute path on the server", "write the whole path of the directory, such as `/mnt/fast`");
    }

    public static Fault? Glob(string text)
    {
        if (text.Any(char.IsControl))
            return new Fault("there is a control character in the glob", "write the glob on one line, without escapes");
        if (text[0] == '!')
            return new Fault("a glob that takes back others (`!`) is not supported", "list only what is to be left out");
        if (text.Contains('\\', StringComparison.Ordinal))
            return new Fault("there is a backslash in the glob", "write `/` between folders, on Windows too");
        string[] names = text.Split('/');
        if (names[0].Length == 0 || names.Contains("..") || names.Contains("."))
            return new Fault("the glob is not relative to the source's folder", "write it without a leading `/` or `./`, and without `..`: `cache/**`");
        return null;
    }

    public static Fault? CommandWord(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
            return new Fault("there is a NUL character in the word", "remove it");
        return SecretArgument().IsMatch(text)
            ? new Fault("a secret stands in a command; every user of the machine can see commands", "take it out, and use `password:` with a secret reference")
            : null;
    }

    public static Fault? Command(string text) =>
        CommandWords.TrySplit(text, out _, out Fault? fault) ? CommandWord(text) : fault;

    public static Fault? Period(string text) => Apps.Period.TryParse(text, out _)
        ? null
        : new Fault("this is not a length of time", "write a number and a unit: `30m`, `12h`, `7d`, `2w`");

    public static Fault? VariableName(string text)
    {
        if (SecretReference.IsVariableName(text))
            return null;
        return text.Contains('=', StringComparison.Ordinal)
            ? new Fault("a value stands beside the variable's name", "write the name alone; the value is taken from the environment when a backup runs")
            : new Fault("this is not a name of an environment variable", "write letters, digits and `_`, such as `API_KEY`");
    }

    public static Fault? Replacement(string text) => ColumnRedaction.IsReplacement(text)
        ? null
        : new Fault("this does not say what is captured instead of the column's values", "write `null`, `mask`, `hash` or `\"constant:TEXT\"`");

    /// <summary>Whether it has a source's name before a slash, and something behind it; what, depends on the source.</summary>
    public static Fault? ReferringColumn(string name) => name.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash && slash < name.Length - 1
        ? null
        : new Fault("this is not the name of a source and a column", "write `source/schema.table.column` (PostgreSQL) or `source/table.column`");

    public static Fault? TableColumn(string name) => Column(name, 2, "table.column");

    public static Fault? SchemaTableColumn(string name) => Column(name, 3, "schema.table.column");

    public static Fault? SettingName(string text) => text.Any(static c => char.IsControl(c) || c is '=' or ':')
        ? new Fault("this is not the name of a setting", "write the name alone, such as `SECRET_KEY`, as the settings files and the environment have it")
        : null;

    public static Fault? NeutralSql(string text) => text.Trim().Contains(' ', StringComparison.Ordinal)
        ? null
        : new Fault("this is not an SQL statement", "write a whole statement, such as `UPDATE mail_server SET active = false`");

    public static Fault? NeutralSqlOrList(string text) => text == SourceSettings.OdooList || NeutralSql(text) is null
        ? null
        : new Fault(
            "this is neither an SQL statement nor the name of a built-in list",
            $"write `{SourceSettings.OdooList}`, or a whole statement, such as `UPDATE mail_server SET active = false`");

    private static Fault? Column(string name, int parts, string form) => ColumnRedaction.SplitName(name)?.Count == parts
        ? null
        : new Fault("this is not the whole name of a column", $"write `{form}`; a name that holds a dot or a quote stands in double quotes");

    /// <summary>What to say where a secret stands instead of its place.</summary>
    public static Fault LiteralSecret => new("a secret reference is wanted here, not a secret or another text", SecretHint);

    [GeneratedRegex("^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex AppNamePattern();

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9+.-]+://", RegexOptions.CultureInvariant)]
    private static partial Regex UrlScheme();

    [GeneratedRegex("%[A-Za-z_][A-Za-z0-9_()]*%", RegexOptions.CultureInvariant)]
    private static partial Regex WindowsVariable();

    [GeneratedRegex("(pass(word|wd|phrase)?|secret|token|api_?key)[A-Za-z0-9_]*=.", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex SecretArgument();
}
