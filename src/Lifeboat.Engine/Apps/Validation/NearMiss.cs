namespace Lifeboat.Engine.Apps.Validation;

/// <summary>Finds the known word that an unknown one was probably meant to be.</summary>
internal static class NearMiss
{
    // What people who come from other tools write.
    private static readonly Dictionary<string, string[]> Synonyms = new(StringComparer.OrdinalIgnoreCase)
    {
        ["name"] = ["app"],
        ["application"] = ["app"],
        ["repository"] = ["stores"],
        ["repositories"] = ["stores"],
        ["destinations"] = ["stores"],
        ["targets"] = ["stores"],
        ["databases"] = ["sources"],
        ["threads"] = ["workers"],
        ["jobs"] = ["workers"],
        ["parallel"] = ["workers"],
        ["uri"] = ["url"],
        ["dsn"] = ["url"],
        ["connection"] = ["url"],
        ["passphrase"] = ["password"],
        ["key"] = ["password"],
        ["file"] = ["path", "files"],
        ["filename"] = ["path"],
        ["database"] = ["path", "url"],
        ["dir"] = ["path", "files"],
        ["directory"] = ["path", "files"],
        ["folder"] = ["path", "files"],
        ["ignore"] = ["exclude"],
        ["excludes"] = ["exclude"],
        ["env"] = ["environment", "settings"],
        ["variables"] = ["environment"],
        ["pg"] = ["postgres"],
        ["pgsql"] = ["postgres"],
        ["psql"] = ["postgres"],
        ["postgresql"] = ["postgres"],
        ["sqlite3"] = ["sqlite"],
        ["config"] = ["settings"],
        ["zst"] = ["zstd"],
        ["zstandard"] = ["zstd"],
        ["gzip"] = ["deflate"],
        ["zip"] = ["deflate"],
    };

    public static string? Find(string word, IReadOnlyCollection<string> known)
    {
        if (word.Length is 0 or > 40)
            return null;
        string tidy = word.Replace('-', '_').Trim();
        if (Synonyms.TryGetValue(tidy, out string[]? meant) && meant.FirstOrDefault(known.Contains) is { } synonym)
            return synonym;
        (string? best, int distance) = known
            .Select(candidate => (candidate, Distance(tidy, candidate)))
            .OrderBy(static c => c.Item2)
            .FirstOrDefault();
        return best is not null && distance <= (best.Length <= 4 ? 1 : 2) ? best : null;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours, without regard to case.</summary>
    private static int Distance(string a, string b)
    {
        int[][] cost = [.. Enumerable.Range(0, a.Length + 1).Select(i => new int[b.Length + 1])];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i][j] = i + j;
                    continue;
                }

                int replace = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                cost[i][j] = Math.Min(Math.Min(cost[i - 1][j], cost[i][j - 1]) + 1, cost[i - 1][j - 1] + replace);
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]))
                    cost[i][j] = Math.Min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }

        return cost[a.Length][b.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
