using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lifeboat.Engine.Apps.Keys;

/// <summary>The JSON schema of <c>lifeboat.yaml</c> (draft 2020-12), made from the table of keys; editors complete and check by it.</summary>
public static class AppFileSchema
{
    /// <summary>The file's name beside the docs, and in <c>.lifeboat/</c>.</summary>
    public const string FileName = "lifeboat.schema.json";

    private static readonly JsonSerializerOptions Written = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The schema's text, ending in a line feed.</summary>
    public static string Text { get; } = Write();

    private static string Write()
    {
        JsonObject schema = new()
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "lifeboat.yaml",
        };
        foreach ((string name, JsonNode? value) in Of(AppFileKeys.Root).ToArray())
            schema[name] = value?.DeepClone();
        return schema.ToJsonString(Written) + "\n";
    }

    private static JsonObject Of(Shape shape)
    {
        JsonObject schema = shape switch
        {
            TextShape text => OfText(text),
            ChoiceShape choice => new JsonObject { ["enum"] = Texts(choice.Values) },
            NumberShape number => new JsonObject { ["type"] = "integer", ["minimum"] = number.Least, ["maximum"] = number.Most },
            ListShape list => OfList(list),
            MapListShape maps => new JsonObject { ["type"] = "array", ["minItems"] = 1, ["items"] = Of(maps.Item) },
            MapShape map => OfMap(map, []),
            NamedMapShape named => OfNamed(named),
            TextMapShape texts => new JsonObject { ["type"] = "object", ["minProperties"] = 1, ["additionalProperties"] = Of(texts.Item) },
            TypedMapShape typed => new JsonObject { ["type"] = "object", ["required"] = Texts(["type"]), ["oneOf"] = OfTypes(typed) },
            WordOrMapShape either => new JsonObject { ["oneOf"] = new JsonArray(new JsonObject { ["const"] = either.Word }, Of(either.Map)) },
            _ => throw new InvalidOperationException("a shape without a schema"),
        };
        schema.Insert(0, "description", shape.Description);
        return schema;
    }

    private static JsonObject OfText(TextShape shape)
    {
        JsonObject schema = new()
        {
            ["type"] = shape.TakesNull ? Texts(["string", "null"]) : "string", ["minLength"] = 1, ["maxLength"] = shape.MaxLength,
        };
        if (shape.Pattern is not null)
            schema["pattern"] = shape.Pattern;
        schema["examples"] = Texts([shape.Example]);
        return schema;
    }

    private static JsonObject OfList(ListShape shape)
    {
        JsonObject schema = new() { ["type"] = "array", ["minItems"] = 1, ["items"] = Of(shape.Item) };
        if (shape.Unique)
            schema["uniqueItems"] = true;
        return schema;
    }

    private static JsonObject OfNamed(NamedMapShape shape) => new()
    {
        ["type"] = "object",
        ["minProperties"] = 1,
        ["patternProperties"] = new JsonObject { [NamedMapShape.NamePattern] = Of(shape.Item) },
        ["additionalProperties"] = false,
    };

    private static JsonArray OfTypes(TypedMapShape shape)
    {
        JsonArray types = [];
        foreach (TypeVariant variant in shape.Types)
        {
            JsonObject type = new() { ["const"] = variant.Type };
            JsonObject schema = OfMap(variant.Map, new Dictionary<string, JsonObject> { ["type"] = type });
            schema.Insert(0, "description", variant.Map.Description);
            types.Add((JsonNode)schema);
        }

        return types;
    }

    private static JsonObject OfMap(MapShape shape, Dictionary<string, JsonObject> first)
    {
        JsonObject properties = [];
        foreach ((string name, JsonObject property) in first)
            properties[name] = property;
        foreach (Key key in shape.Keys)
            properties[key.Name] = Of(key.Shape);
        JsonObject schema = new() { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        string[] required = [.. first.Keys, .. shape.Keys.Where(static k => k.Missing is not null).Select(static k => k.Name)];
        if (required.Length > 0)
            schema["required"] = Texts(required);
        if (shape.AtLeastOneOf.Count > 0)
            schema["anyOf"] = new JsonArray([.. shape.AtLeastOneOf.Select(static k => new JsonObject { ["required"] = Texts([k]) })]);
        return schema;
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(static t => (JsonNode)t)]);
}
