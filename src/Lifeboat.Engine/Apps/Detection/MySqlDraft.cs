using System.Globalization;
using Lifeboat.Engine.Apps.Keys;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Builds MySQL sources out of what settings files say; none gets a password.</summary>
internal static class MySqlDraft
{
    /// <summary>The note for a URL that cannot be read without guessing.</summary>
    public static NoteFinding Unclear(string reason) =>
        new($"{reason} names a MySQL database in a way that cannot be read", ["write its `url` as mysql://user@host:3306/database"]);

    /// <summary>A source out of a URL; a note where it cannot be read. Parameters of other libraries (<c>charset</c>, <c>serverVersion</c>) are left out.</summary>
    /// <param name="url">With the scheme <c>mysql</c>.</param>
    /// <param name="reference">The secret reference to the whole URL; null where it is not one that could be used as it stands.</param>
    public static Finding OfUrl(string reason, string url, string? reference, string? passwordBeside)
    {
        string plain = url.Split('?')[0];
        string rest = plain[(plain.IndexOf("://", StringComparison.Ordinal) is >= 0 and int at ? at + 3 : 0)..];
        if (url.Contains('$', StringComparison.Ordinal) || rest.Count(static c => c == '@') > 1 || !MySqlUrl.TryCut(plain, out MySqlUrl? cut, out _))
            return Unclear(reason);
        if (cut.HoldsPassword && reference is not null && plain == url)
            return Source(
                reason, cut, DraftField.Of("url", reference), null,
                [$"the whole URL with its password; or write url: \"{cut.WithoutPassword()}\" and password: \"env:NAME\""]);
        string? password = passwordBeside ?? (cut.HoldsPassword ? "env:MYSQL_PASSWORD" : null);
        return Source(
            reason, cut, DraftField.Of("url", cut.WithoutPassword()), password,
            cut.HoldsPassword && passwordBeside is null ? ["the password stands inside of that URL: set the variable that `password` names"] : []);
    }

    /// <summary>A source out of single settings.</summary>
    public static Finding OfSettings(
        string reason, string? user, string? host, string? port, string database, string? password, IReadOnlyList<string> comments)
    {
        bool isSocket = host is not null && host.StartsWith('/');
        int? number = int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int parsed) && parsed is > 0 and <= 65535 && parsed != 3306 ? parsed : null;
        MySqlUrl url = new(
            string.IsNullOrEmpty(user) ? null : user, null, isSocket ? "" : host ?? "", isSocket ? null : number, database,
            isSocket ? [new("socket", host!)] : []);
        return MySqlUrl.TryParse(url.WithoutPassword(), out _, out _)
            ? Source(reason, url, DraftField.Of("url", url.WithoutPassword()), password, comments)
            : new NoteFinding($"{reason} is a MySQL database whose settings cannot be read", ["write a source of type mysql for it"]);
    }

    private static SourceFinding Source(string reason, MySqlUrl url, DraftField connection, string? password, IReadOnlyList<string> comments)
    {
        List<DraftField> fields = [connection];
        if (password is not null)
            fields.Add(DraftField.Of("password", password));
        bool isLocal = url.Host is "" or "localhost" or "127.0.0.1" or "::1";
        string identity = string.Create(CultureInfo.InvariantCulture, $"mysql:{(isLocal ? "" : url.Host)}:{url.Port ?? 3306}/{url.Database}");
        // A host name of one word is most often a container's, which only other containers can reach.
        bool isContainer = !isLocal && url.Host.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
        string[] hint = isContainer
            ? [$"if {url.Host} is a container, reach it so: url: \"{(url with { Host = "", Port = null, Password = null }).WithoutPassword()}\", via: [docker, exec, -i, {url.Host}]"]
            : [];
        return new SourceFinding(reason, new SourceDraft(DraftNames.Of(url.Database, "main"), "mysql", identity, fields, [.. comments, .. hint]));
    }
}
