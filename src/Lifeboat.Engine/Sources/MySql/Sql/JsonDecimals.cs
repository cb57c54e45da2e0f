using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lifeboat.Engine.Sources.MySql.Sql;

/// <param name="Path">Where it stands in its document, as MySQL writes paths (manual, 14.17.1).</param>
/// <param name="Digits">As the server prints it: <c>1.10</c>.</param>
internal readonly record struct JsonDecimal(string Path, string Digits)
{
    /// <summary>The number as SQL.</summary>
    public string Sql
    {
        get
        {
            int point = Digits.IndexOf('.', StringComparison.Ordinal);
            int scale = point < 0 ? 0 : Digits.Length - point - 1;
            return string.Create(CultureInfo.InvariantCulture, $"CAST('{Digits}' AS DECIMAL({Math.Max(1, Digits.Count(char.IsAsciiDigit))},{scale}))");
        }
    }
}

/// <summary>
/// MySQL's JSON documents can hold decimals, put there by functions: JSON text cannot, and the server reads <c>1.10</c> as the double 1.1. Such a number shows by
/// being printed as no double is.
/// </summary>
internal static class JsonDecimals
{
    private const int MostDigits = 65;
    private const int MostDecimals = 30;
    private const int DeepestDocument = 128; // the server's own limit is 100

    /// <summary>The numbers of a document that were decimals for certain; none where the text is no JSON.</summary>
    public static IReadOnlyList<JsonDecimal> Find(ReadOnlySpan<byte> json)
    {
        List<JsonDecimal>? found = null;
        Stack<(string Name, int Index)> path = [];
        Utf8JsonReader reader = new(json, new JsonReaderOptions { MaxDepth = DeepestDocument });
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        path.Pop();
                        path.Push(($".\"{Encoding.UTF8.GetString(reader.ValueSpan)}\"", -1));
                        continue;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        path.Pop();
                        break;
                    case JsonTokenType.StartObject:
                        path.Push(("", -1));
                        continue;
                    case JsonTokenType.StartArray:
                        path.Push(("", 0));
                        continue;
                    case JsonTokenType.Number when IsDecimal(reader.ValueSpan):
                        (found ??= []).Add(new JsonDecimal("$" + string.Concat(path.Reverse().Select(Step)), Encoding.ASCII.GetString(reader.ValueSpan)));
                        break;
                }

                // Behind a value of an array stands the next one.
                if (path.TryPeek(out (string Name, int Index) place) && place.Index >= 0)
                {
                    path.Pop();
                    path.Push(("", place.Index + 1));
                }
            }
        }
        catch (JsonException)
        {
            return [];
        }

        return found ?? [];
    }

    private static string Step((string Name, int Index) place) =>
        place.Index < 0 ? place.Name : string.Create(CultureInfo.InvariantCulture, $"[{place.Index}]");

    /// <summary>Whether no double, and no integer, is printed so.</summary>
    private static bool IsDecimal(ReadOnlySpan<byte> number)
    {
        string text = Encoding.ASCII.GetString(number);
        int point = text.IndexOf('.', StringComparison.Ordinal);
        if (text.Contains('e', StringComparison.OrdinalIgnoreCase) || text.Length - 2 > MostDigits || (point >= 0 && text.Length - point - 1 > MostDecimals))
            return false;
        if (point < 0)
            return !long.TryParse(text, CultureInfo.InvariantCulture, out _) && !ulong.TryParse(text, CultureInfo.InvariantCulture, out _);
        string shortest = double.Parse(text, CultureInfo.InvariantCulture).ToString("R", CultureInfo.InvariantCulture);
        if (shortest.Contains('E', StringComparison.Ordinal))
            shortest = decimal.TryParse(shortest, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal plain) ? plain.ToString(CultureInfo.InvariantCulture) : "";
        return text != shortest && text != shortest + ".0";
    }
}
